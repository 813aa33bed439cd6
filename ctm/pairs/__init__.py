"""What a bug-fix pair is: record, identity, categories, splits, duplicates and the training sets made of them."""
