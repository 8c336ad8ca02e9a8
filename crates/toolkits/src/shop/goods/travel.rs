//! Camping, bags, fitness and cycling. Data only.

use super::{Category, kind, plain};

#[rustfmt::skip]
pub(super) const CAMPING: Category = Category {
    name: "Camping & Hiking", code: "OUT", count: 150,
    about: "Tents, sleeping bags, stoves and packs.",
    brands: &[("Fjellheim", 130), ("Ridgeback", 110), ("Cairnfield", 95), ("Tundra Loom", 120), ("Basecamp Lane", 80)],
    lines: &[
        ("Summit", "for high places"), ("Meadow", "for family weekends"), ("Feather", "where every gram counts"),
        ("Boreal", "for cold nights"), ("Wander", "for long distances"), ("Storm", "for wind and rain"),
    ],
    finishes: &[("Moss", 100), ("Slate", 100), ("Orange", 100), ("Sand", 100), ("Lake Blue", 100)],
    facts: &[
        "Repair patches included.", "Free of fluorocarbons.", "Lifetime repair service.", "Tested on Hardangervidda.",
        "Comes with a stuff sack or a bag.",
    ],
    kinds: &[
        kind("Tent", "shelter dome tunnel backpacking", (99, 749), (1200, 6800),
            "A double-wall tent that stands before the rain comes.", &[
            ("1-Person", 75, "1.3 kg, pitched in four \
                minutes."), ("2-Person", 100, "Two doors and two porches."),
            ("4-Person", 135, "Standing room and a dark bedroom."),
        ]),
        kind("Sleeping Bag", "down mummy quilt", (59, 499), (480, 1900),
            "A sleeping bag with a two-way zip and a warm collar.", &[
            ("Summer", 65, "Comfort to 10 °C."), ("3-Season", 100, "Comfort to 0 °C."),
            ("Winter Down", 170, "Comfort to -12 °C, 800-fill responsible down."),
        ]),
        kind("Sleeping Mat", "pad mattress inflatable", (25, 219), (320, 1300),
            "A mat that keeps the cold ground away.", &[
            ("Foam", 50, "Cannot puncture."), ("Self-Inflating", 95, "5 cm, open the valve and \
                wait."),
            ("Ultralight", 140, "430 g and an R-value of 4.2."),
        ]),
        plain("Camping Stove", "gas burner cooker", (25, 189), (75, 1400),
            "A stove that lights in wind.", &[
            ("Gas", 75, "Folds to the size of a lemon."), ("Two-Burner", 130, "Two pots at once, 2 \
                by 2.5 kW."),
            ("Wood", 90, "Burns twigs almost without smoke."),
        ]),
        kind("Hiking Backpack", "rucksack trekking pack", (69, 329), (780, 2300),
            "A pack whose belt carries the weight.", &[
            ("25 L", 70, "For a day, rain cover \
                inside."), ("45 L", 100, "For a weekend."), ("65 L", 125, "For a fortnight."),
        ]),
        kind("Headlamp", "head torch light running", (19, 119), (45, 160),
            "A headlamp with a red light for maps.", &[
            ("300 lm", 70, "Three AAA cells."), ("600 lm", 105, "USB-C, 60 m of beam."), ("1,000 lm", 145, "For running at night."),
        ]),
        plain("Trekking Poles", "hiking walking sticks pair", (35, 169), (340, 560),
            "A pair of poles with cork grips.", &[
            ("Aluminium", 75, "Three sections, lever locks."), ("Carbon", 140, "370 g the pair."), ("Folding", 110, "35 cm folded."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const BAGS: Category = Category {
    name: "Bags & Luggage", code: "BAG", count: 130,
    about: "Backpacks, suitcases and sleeves.",
    brands: &[("Ashcombe", 130), ("Transit & Co", 110), ("Plainwood", 85), ("Solenne", 125), ("Nordloft", 100)],
    lines: &[
        ("Courier", "for cities"), ("Layover", "for airports"), ("Campus", "for lecture halls"), ("Ledger", "for meetings"),
        ("Weekend", "for two nights"), ("Mistral", "for bad weather"),
    ],
    finishes: &[("Black", 100), ("Navy", 100), ("Olive", 100), ("Tan", 100), ("Stone", 100), ("Burgundy", 100)],
    facts: &[
        "Made from recycled bottles.", "Zips that repair themselves.", "Five-year warranty.",
        "A hidden pocket for passport or tag.", "Water beads off.",
    ],
    kinds: &[
        kind("Laptop Backpack", "rucksack computer bag work", (49, 229), (700, 1500),
            "A backpack with a padded laptop compartment.", &[
            ("18 L", 85, "For a 14-inch laptop and lunch."), ("24 L", 100, "For a 16-inch laptop \
                and a jacket."),
            ("Roll-Top", 115, "Grows from 20 to 28 litres."),
        ]),
        kind("Suitcase", "luggage trolley carry-on wheels", (89, 449), (2300, 4600),
            "A suitcase on four quiet wheels.", &[
            ("Carry-On", 85, "55 cm, fits the cabin of most \
                airlines."), ("Medium", 105, "67 cm, 68 litres."),
            ("Large", 120, "76 cm, 95 litres."),
        ]),
        kind("Messenger Bag", "shoulder briefcase laptop", (45, 289), (600, 1400),
            "A messenger bag with a quick-pull strap.", &[
            ("Canvas", 80, "Waxed cotton."), ("Leather", 170, "Full-grain leather that \
                darkens."), ("Recycled", 85, "Sailcloth, each one different."),
        ]),
        kind("Laptop Sleeve", "case cover notebook", (19, 79), (140, 320),
            "A sleeve with a soft lining.", &[
            ("13-inch", 85, "Up to 31 by 22 cm."), ("14-inch", 95, "Up to 33 by 24 cm."), ("16-inch", 110, "Up to 37 by 26 cm."),
        ]),
        kind("Duffel Bag", "holdall gym travel", (39, 199), (600, 1700),
            "A duffel with backpack straps.", &[
            ("30 L", 80, "Gym and back."), ("50 L", 105, "A week in summer."), ("90 L", 130, "An expedition."),
        ]),
        kind("Toiletry Bag", "wash bag dopp kit", (19, 69), (120, 340),
            "A wash bag that hangs from a hook.", &[
            ("", 90, "Clear pocket for liquids."), ("Large", 115, "For two."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const FITNESS: Category = Category {
    name: "Fitness", code: "FIT", count: 110,
    about: "Weights, mats and machines for training at home.",
    brands: &[("Ironbrook", 115), ("Vexmoor", 110), ("Basecamp Lane", 80), ("Kinetra", 125)],
    lines: &[
        ("Garage", "for heavy work"), ("Studio", "for yoga and pilates"), ("Commit", "for daily training"),
        ("Fold", "for small flats"), ("Recover", "for the day after"),
    ],
    finishes: &[("Black", 100), ("Grey", 100), ("Teal", 100), ("Coral", 100), ("Plum", 100)],
    facts: &[
        "A poster with twelve exercises is \
         included.", "No smell out of the box.", "Two-year warranty.", "Tested by a physiotherapist.",
        "Wipes clean.",
    ],
    kinds: &[
        kind("Yoga Mat", "exercise pilates gym", (19, 119), (900, 2900),
            "A yoga mat that grips when hands sweat.", &[
            ("4 mm", 80, "Rolls small."), ("6 mm", 100, "Kind to knees."), ("Cork", 140, "Cork over natural rubber."),
        ]),
        plain("Dumbbells", "weights hand pair strength", (25, 429), (2000, 40000),
            "A pair of dumbbells with knurled grips.", &[
            ("2 x 5 kg", 45, "Rubber-coated hexagons."), ("2 x 10 kg", 75, "Rubber-coated hexagons."),
            ("Adjustable 2 x 20 kg", 160, "A dial sets each from 2 to 20 kg."),
        ]),
        plain("Kettlebell", "weight strength swing", (29, 129), (8000, 24000),
            "A cast-iron kettlebell with a flat base.", &[
            ("8 kg", 60, "A first kettlebell."), ("12 kg", 80, "For swings and presses."), ("16 kg", 100, "The classic."), ("24 kg", 140, "For those who know why."),
        ]),
        kind("Resistance Bands", "loop elastic strength rehab", (12, 59), (180, 900),
            "Bands in five strengths.", &[
            ("Loop", 80, "For hips and warming up."), ("Handle", 115, "With door anchor and \
                handles."),
        ]),
        plain("Exercise Bike", "spinning indoor cycling cardio", (199, 999), (24000, 48000),
            "An exercise bike with a magnetic brake.", &[
            ("Upright", 80, "Folds to the depth of a door."), ("Indoor", 115, "An 18 kg flywheel \
                and power to the watt."),
        ]),
        kind("Foam Roller", "massage recovery fascia", (15, 79), (320, 1100),
            "A roller for tired muscles.", &[
            ("Smooth", 75, "Firm, 45 cm."), ("Textured", 90, "Ridges that find the spot."), ("Vibrating", 170, "Four \
                speeds, three hours a charge."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const CYCLING: Category = Category {
    name: "Cycling", code: "CYC", count: 130,
    about: "Lights, helmets, locks and tools.",
    brands: &[("Ridgeback", 110), ("Velomar", 125), ("Cairnfield", 95), ("Kinetra", 120), ("Basecamp Lane", 80)],
    lines: &[
        ("Commute", "for every day"), ("Gravel", "for rough roads"), ("Peloton", "for speed"), ("Cargo", "for loads"),
        ("Night", "for the dark half of the year"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Red", 100), ("Petrol", 100), ("Neon Yellow", 100)],
    facts: &[
        "Fits bars and posts from 22 to 35 mm, where it is \
         clamped.", "All bolts are stainless.", "Spare parts available singly.",
        "Two-year warranty.", "Made by people who ride to work.",
    ],
    kinds: &[
        kind("Bike Helmet", "bicycle cycling head protection", (39, 249), (230, 420),
            "A helmet with a dial fit and reflective straps.", &[
            ("", 80, "Fourteen vents."), ("MIPS", 115, "A layer that slides when it \
                matters."), ("Urban", 95, "A visor and a rear light."),
            ("Kids", 65, "48 to 54 cm, with a magnetic buckle."),
        ]),
        kind("Bike Light Set", "bicycle lamp front rear led", (19, 149), (60, 240),
            "Front and rear light, charged over USB-C.", &[
            ("100 lm", 65, "To be seen."), ("400 lm", 100, "To see."), ("1,000 lm", 145, "To see in the woods."),
        ]),
        kind("Bike Lock", "bicycle security chain u-lock", (25, 149), (500, 2600),
            "A lock with three keys, one of them lit.", &[
            ("Cable", 50, "For short stops."), ("U-Lock", 100, "16 mm of hardened steel."), ("Folding", 120, "Fits the bottle cage."),
            ("Chain", 115, "110 cm around tree and frame."),
        ]),
        plain("Bike Computer", "gps cycling speed navigation", (29, 399), (30, 130),
            "A bike computer with a screen for bright sun.", &[
            ("Wireless", 55, "Speed, distance and nothing to charge for a \
                year."), ("GPS", 100, "Routes, climbs and 20 hours."),
            ("Mapping GPS", 140, "Colour maps of the continent."),
        ]),
        kind("Pannier", "bicycle bag rack waterproof", (39, 199), (650, 1600),
            "A welded pannier that clicks onto any rack.", &[
            ("Single 20 L", 75, "For work."), ("Pair 40 L", 125, "For tours."),
        ]),
        plain("Multi-Tool", "bicycle repair hex torx", (15, 79), (90, 260),
            "A multi-tool for the roadside.", &[
            ("12-Function", 75, "Hex, Torx and screwdrivers."), ("19-Function", 115, "With chain breaker."), ("Tubeless", 110, "With plugs for flats."),
        ]),
        kind("Floor Pump", "bicycle tyre inflator track pump", (29, 119), (900, 2100),
            "A pump with a gauge that can be read standing.", &[
            ("", 90, "Up to 11 bar, for all valves."), ("Tubeless", 140, "A chamber seats tubeless \
                tyres."),
        ]),
    ],
};
