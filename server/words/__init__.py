"""How a reader is spoken to: figures, ages, spans of time and sentences, in their language."""
