"""Values as words in the reader's language: figures, ages, sentences, and each page as a whole."""
