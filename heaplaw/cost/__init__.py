"""What calls cost, in instructions: counted by single steps, judged by the law of the catalogue."""
