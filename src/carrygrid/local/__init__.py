"""The whole service on one machine: a private broker, and every process under one supervisor."""
