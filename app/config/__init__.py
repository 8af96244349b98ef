"""What the user configured: found, validated file by file, merged, and explained value by value."""
