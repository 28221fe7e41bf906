"""Paper sessions in SQL: of pairs, and of hedges of two legs."""
