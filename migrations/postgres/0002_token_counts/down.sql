DROP TABLE token_counts;
