"""What each kind of file may hold, one model per block. Every key carries its description for docs and editors."""
