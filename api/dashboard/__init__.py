"""The pages for people: server-rendered, with small scripts of our own."""
