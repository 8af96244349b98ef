"""What the screens know: pure folds over events and bytes. No Textual here, so no screen is needed to test it."""
