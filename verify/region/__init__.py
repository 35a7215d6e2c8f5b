"""How large is large enough: where the conclusion holds after hat and after true steps, decided to one subject."""
