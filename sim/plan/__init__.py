"""From a demand to settings that meet it. Knows strategies by their options, and simulates to prove what it says."""
