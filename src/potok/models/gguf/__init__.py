"""Models in files of this machine: found, fetched, and served by llama.cpp in a child process."""
