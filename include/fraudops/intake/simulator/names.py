"""Given and family names, common ones of the countries in which the simulated customers live.

They are put together at random: any likeness to a person is an accident.
"""

GIVEN = (
    "Ada", "Agnes", "Aino", "Alma", "Amir", "Ana", "Anton", "Astrid", "Beatriz", "Bruno", "Carla", "Cem",
    "Chiara", "Clara", "Daan", "Dario", "Diana", "Elif", "Elin", "Emil", "Emma", "Enzo", "Eva", "Fatima", "Felix",
    "Finn", "Frida", "Giulia", "Greta", "Hanna", "Hugo", "Ida", "Ines", "Irene", "Ivan", "Jakub", "Jana", "Jonas",
    "Julia", "Karim", "Katja", "Lars", "Lea", "Leila", "Leo", "Lotte", "Luca", "Lucia", "Magda", "Marco", "Maria",
    "Mateo", "Maya", "Mia", "Milan", "Nadia", "Nils", "Nina", "Noah", "Nora", "Olga", "Omar", "Oskar", "Paula",
    "Pedro", "Pia", "Rafael", "Rosa", "Samir", "Sara", "Sofia", "Stefan", "Tess", "Theo", "Tomas", "Vera",
    "Victor", "Yara", "Zoe",
)  # fmt: skip

FAMILY = (
    "Adler", "Almeida", "Andersson", "Arnaud", "Bakker", "Baranski", "Becker", "Bianchi", "Blanc", "Bosch",
    "Brennan", "Byrne", "Castro", "Conti", "Costa", "Dahl", "Demir", "Dubois", "Ebner", "Evers", "Fabre",
    "Fernandez", "Fischer", "Fontana", "Fuchs", "Gallo", "Garcia", "Gruber", "Haas", "Hansen", "Hartley", "Hofer",
    "Ibrahim", "Iglesias", "Jansen", "Johansson", "Kaya", "Keller", "Klein", "Kowalski", "Lambert", "Lang",
    "Lefevre", "Lindgren", "Lopez", "Maier", "Marino", "Martin", "Meyer", "Moreau", "Murphy", "Navarro", "Nowak",
    "Olsson", "Ortega", "Peeters", "Petit", "Ricci", "Romano", "Roux", "Santos", "Schmid", "Serra", "Silva",
    "Smit", "Steiner", "Taylor", "Visser", "Vogel", "Wagner", "Walsh", "Weber", "Wilson", "Winter", "Wouters",
    "Zimmer",
)  # fmt: skip
