"""Vocabularies read from their packages and compiled into a lexicon; one file a vocabulary."""
