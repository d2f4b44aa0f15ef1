"""What decoding is made of: opened files, memory, pieces, deep grey."""
