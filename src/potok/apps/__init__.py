"""What an app may import of Potok, and what holds the apps that are installed."""
