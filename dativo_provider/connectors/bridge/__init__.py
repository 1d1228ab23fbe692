"""What the bridges to other ecosystems share: their connectors run beside us and write messages, a line each."""
