"""What the law and the bank ask of payments: dated rules, and what they found."""
