"""The chapters of a pack: each reads what the store and the database say of a month, and says what it rests on."""
