"""What readers of databases share: relations, cursors, planned windows, sessions of a pool."""
