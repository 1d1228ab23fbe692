"""The nouns every room shares. Import from the module that defines them; nothing here does any work."""
