//! Smart home, coffee, cookware, appliances, furniture and lighting. Data only.

use super::{Category, kind, plain};

#[rustfmt::skip]
pub(super) const SMART_HOME: Category = Category {
    name: "Smart Home", code: "SMH", count: 110,
    about: "Sensors, switches and cameras that talk to each other.",
    brands: &[("Hearthline", 110), ("Kvist", 100), ("Ostrel", 85), ("Domovik", 120)],
    lines: &[
        ("Sentry", "for safety"), ("Haven", "for comfort"), ("Thrift", "for saving energy"), ("Atrium", "for large homes"),
        ("Nook", "for rented flats"),
    ],
    finishes: &[("White", 100), ("Anthracite", 100), ("Stone", 100)],
    facts: &[
        "Speaks Matter, so it works with the assistant you \
         have.", "Works without the internet inside the home.",
        "Security updates for at least five \
         years.", "Screws and adhesive pads included.", "Two-year warranty.",
    ],
    kinds: &[
        kind("Thermostat", "heating radiator temperature climate", (59, 219), (110, 320),
            "A thermostat that learns when the house is empty.", &[
            ("Radiator", 70, "Fits the usual valves with six adapters."),
            ("Wall", 115, "A round display and a wheel to turn."),
            ("Underfloor", 130, "Sensors for floor and air."),
        ]),
        kind("Smart Plug", "socket outlet energy meter switch", (12, 39), (60, 130),
            "A smart plug that switches and measures.", &[
            ("", 85, "Shows what each appliance costs a day."),
            ("Outdoor", 130, "IP44 and two sockets under a lid."),
            ("Mini", 75, "Leaves the neighbouring socket free."),
        ]),
        kind("Security Camera", "surveillance indoor outdoor video cctv", (39, 249), (140, 620),
            "A security camera that stores video at home.", &[
            ("Indoor", 65, "1080p with a shutter that closes when you are in."),
            ("Outdoor", 105, "2K, IP66 and a spotlight."),
            ("Solar Outdoor", 140, "A panel keeps the battery full all year."),
        ]),
        kind("Video Doorbell", "door bell chime camera", (69, 239), (160, 420),
            "A doorbell that shows who rings, on the phone or the screen in the hall.", &[
            ("Battery", 95, "Six months a charge, no wires."),
            ("Wired", 105, "Always on, from the old bell's wires."),
        ]),
        kind("Motion Sensor", "detector presence pir", (15, 69), (35, 110),
            "A sensor that notices people, not cats.", &[
            ("", 85, "Two years on a coin cell."),
            ("Presence", 145, "Radar sees people who sit still."),
        ]),
        kind("Smart Lock", "door keypad keyless deadbolt", (119, 299), (380, 1100),
            "A lock that turns the key you already have.", &[
            ("", 90, "Opens by phone, locks by itself."),
            ("Keypad", 120, "A code for guests, changed when they leave."),
            ("Fingerprint", 135, "Opens in half a second, for up to fifty fingers."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const COFFEE: Category = Category {
    name: "Coffee & Tea", code: "COF", count: 140,
    about: "Machines, grinders, kettles and pots.",
    brands: &[("Bellacorta", 130), ("Marlowe & Finch", 115), ("Kvarnen", 120), ("Ocelle", 80), ("Hearthline", 95)],
    lines: &[
        ("Mattina", "for the first cup"), ("Bottega", "for the craft"), ("Solo", "for one"), ("Famiglia", "for a full table"),
        ("Lounge", "for slow afternoons"), ("Barista", "for milk and foam"),
    ],
    finishes: &[("Stainless Steel", 100), ("Matt Black", 100), ("Cream", 100), ("Copper", 100), ("Forest Green", 100)],
    facts: &[
        "All parts that touch water are free of BPA.", "Easy to take apart and clean.",
        "Spare parts for ten years.", "Recipes for eight drinks included.", "Two-year warranty.",
    ],
    kinds: &[
        kind("Espresso Machine", "coffee maker portafilter cappuccino", (179, 1199), (4800, 13500),
            "An espresso machine with a 58 mm portafilter.", &[
            ("", 80, "A thermoblock is ready in 40 seconds."),
            ("Dual-Boiler", 160, "Brews and steams at the same time."),
            ("Bean-to-Cup", 140, "Grinds, tamps and brews at one touch."),
        ]),
        kind("Coffee Grinder", "burr mill beans", (39, 399), (600, 3200),
            "A grinder with steel burrs and little mess.", &[
            ("Manual", 60, "Twenty-four steps, and silent enough for early mornings."),
            ("Electric", 105, "Forty settings from espresso to French press."),
            ("Single-Dose", 140, "Weigh, grind, drink: nothing stays behind."),
        ]),
        kind("Kettle", "water boiler electric gooseneck tea", (29, 169), (800, 1500),
            "A kettle with a lid that opens wide.", &[
            ("Electric", 75, "Boils a litre in under three minutes."),
            ("Gooseneck Electric", 125, "A thin spout and a temperature to the degree."),
            ("Stovetop", 80, "Works on gas and induction, and sings."),
        ]),
        kind("French Press", "cafetiere plunger coffee maker", (19, 79), (420, 1100),
            "A French press with a two-layer filter.", &[
            ("350 ml", 75, "Two small cups."),
            ("1 Litre", 100, "Eight small cups."),
            ("Insulated 1 Litre", 140, "Double walls keep it hot for an hour."),
        ]),
        plain("Pour-Over Set", "drip filter coffee v60 carafe", (19, 99), (380, 1200),
            "A dripper and carafe for one to four cups.", &[
            ("Glass", 90, "Heat-proof glass, dishwasher-safe."),
            ("Ceramic", 110, "Holds heat where it is needed."),
        ]),
        plain("Teapot", "tea infuser pot", (19, 119), (450, 1400),
            "A teapot with a removable strainer.", &[
            ("Glass", 80, "Watch the leaves open."),
            ("Cast-Iron", 140, "Keeps warm for an hour, enamelled inside."),
            ("Porcelain", 100, "Thin, white and dishwasher-safe."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const COOKWARE: Category = Category {
    name: "Cookware", code: "COO", count: 150,
    about: "Pots, pans, knives and boards.",
    brands: &[("Fjellheim", 125), ("Marlowe & Finch", 110), ("Casa Ondina", 95), ("Hearthline", 90), ("Ironbrook", 130)],
    lines: &[
        ("Everyday", "for every meal"), ("Chef", "for heat and speed"), ("Provence", "for long stews"),
        ("Compact", "for small kitchens"), ("Heritage", "to hand down"), ("Pure", "for those who \
            cook without frills"),
    ],
    finishes: &[("Black", 100), ("Steel", 100), ("Red", 100), ("Sea Blue", 100), ("Cream", 100)],
    facts: &[
        "Works on induction, gas and electric hobs, where heat is involved.", "Ten-year warranty.",
        "Handles are riveted.", "Designed in Bergen and made in \
            Europe.", "Comes with care instructions.",
    ],
    kinds: &[
        kind("Frying Pan", "skillet non-stick sauté", (25, 169), (700, 2400),
            "A frying pan with an even base and a handle that stays cool.", &[
            ("24 cm Non-Stick", 75, "A ceramic coating without PFAS."),
            ("28 cm Non-Stick", 90, "A ceramic coating without PFAS, for four eggs or two steaks."),
            ("28 cm Stainless", 120, "Five layers of steel and aluminium."),
            ("28 cm Carbon Steel", 105, "Seasons with use until nothing sticks."),
        ]),
        kind("Saucepan", "pot milk pan lid", (25, 129), (800, 1900),
            "A saucepan with a pouring rim and a glass lid.", &[
            ("16 cm", 80, "1.5 litres."),
            ("20 cm", 105, "2.8 litres."),
        ]),
        kind("Casserole", "dutch oven cocotte pot braise", (69, 349), (3200, 6400),
            "An enamelled cast-iron pot that goes from hob to oven.", &[
            ("22 cm", 80, "3.3 litres, for two to four."),
            ("26 cm", 105, "5.3 litres, for six."),
            ("Oval 29 cm", 120, "For a whole chicken."),
        ]),
        plain("Chef's Knife", "kitchen knives blade cook", (35, 239), (140, 290),
            "A chef's knife balanced at the bolster.", &[
            ("20 cm", 95, "German steel, 56 HRC, easy to sharpen."),
            ("Santoku", 105, "A straighter edge for vegetables."),
            ("Damascus", 165, "67 layers around a hard core."),
        ]),
        plain("Knife Set", "kitchen knives block", (79, 399), (1100, 3900),
            "The knives a kitchen needs, and no others.", &[
            ("3-Piece", 75, "Chef's, bread and paring knife."),
            ("5-Piece", 105, "With carving knife and shears."),
            ("Block", 135, "Five knives in a magnetic oak block."),
        ]),
        plain("Cutting Board", "chopping board wood", (15, 119), (700, 3600),
            "A cutting board with a juice groove.", &[
            ("Bamboo", 70, "Light, hard and quick to dry."),
            ("Oak", 110, "End grain is kind to knives."),
            ("Recycled", 80, "Made from paper composite, dishwasher-safe."),
        ]),
        plain("Baking Set", "oven tray tin cake bread", (25, 99), (900, 3100),
            "Trays and tins that don't warp.", &[
            ("4-Piece", 90, "Two trays, a loaf tin and a cake tin."),
            ("6-Piece", 125, "With muffin tray and cooling rack."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const APPLIANCES: Category = Category {
    name: "Kitchen Appliances", code: "APP", count: 130,
    about: "Machines that mix, toast, fry and freeze.",
    brands: &[("Hearthline", 100), ("Bellacorta", 125), ("Ocelle", 80), ("Brennhaus", 130), ("Casa Ondina", 90)],
    lines: &[
        ("Crisp", "for quick dinners"), ("Fold", "for bakers"), ("Garden", "for fruit and greens"), ("Studio", "for small kitchens"),
        ("Banquet", "for guests"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Stainless Steel", 100), ("Pistachio", 100), ("Cherry Red", 100)],
    facts: &[
        "Removable parts go into the \
         dishwasher.", "The cord winds up inside the base.", "Spare parts for ten years.",
        "Quieter than a conversation on its lowest step.", "Two-year warranty.",
    ],
    kinds: &[
        kind("Air Fryer", "hot air fryer oven crisp", (69, 269), (3600, 8200),
            "An air fryer that makes crisp chips with a spoon of oil.", &[
            ("4 Litre", 75, "For two."), ("6 Litre", 100, "For four, with a window."),
            ("Dual-Zone", 140, "Two drawers that finish at the same time."),
        ]),
        kind("Stand Mixer", "kitchen machine dough baking", (199, 649), (5200, 11200),
            "A stand mixer with a metal gearbox.", &[
            ("4.8 Litre", 90, "Kneads a kilo of flour."), ("6.9 Litre", 130, "A bowl lift for \
                heavy doughs."),
        ]),
        kind("Blender", "smoothie mixer juice", (39, 399), (1400, 5100),
            "A blender with a pulse for ice.", &[
            ("", 75, "1.5 litres and 800 watts."), ("High-Speed", 150, "1,600 watts turn nuts into \
                butter."),
            ("Personal", 55, "Blend, unscrew, leave the house."), ("Hand", 50, "A stick blender \
                with whisk and chopper."),
        ]),
        kind("Toaster", "toast bread slots", (29, 189), (1100, 3100),
            "A toaster with a crumb tray and a defrost key.", &[
            ("2-Slice", 75, "Slots for thick bread."), ("4-Slice", 115, "Two sides, set apart."),
            ("Long-Slot", 100, "For sourdough as it comes."),
        ]),
        kind("Rice Cooker", "steamer grains", (35, 289), (1700, 5400),
            "A rice cooker that keeps warm without drying.", &[
            ("1 Litre", 75, "For one to four."), ("1.8 Litre", 100, "For up to eight."),
            ("Induction", 160, "Programs for sushi, brown rice and porridge."),
        ]),
        kind("Food Processor", "chopper slicer grater", (59, 349), (2400, 7600),
            "A food processor that slices, grates and kneads.", &[
            ("Compact", 70, "Stores its discs inside the \
                bowl."), ("3.5 Litre", 115, "Twelve tools and a wide chute."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const FURNITURE: Category = Category {
    name: "Furniture", code: "FUR", count: 130,
    about: "Desks, chairs and shelves for home and office.",
    brands: &[("Holmgard", 110), ("Nordloft", 100), ("Ashcombe", 130), ("Plainwood", 85)],
    lines: &[
        ("Linden", "plain and sturdy"), ("Osprey", "for long hours"), ("Tern", "for small rooms"), ("Alder", "for warm interiors"),
        ("Quay", "for lofts"), ("Mews", "for town flats"),
    ],
    finishes: &[("Oak", 100), ("Walnut", 100), ("White", 100), ("Black", 100), ("Ash Grey", 100)],
    facts: &[
        "Assembled in under half an hour, tools \
         included.", "Wood from certified forests.", "Five-year warranty.",
        "Feet level out uneven floors.", "Carried up to the flat on request.",
    ],
    kinds: &[
        kind("Standing Desk", "height adjustable sit-stand table \
            office", (279, 999), (28000, 52000),
            "A desk that rises from 62 to 127 cm.", &[
            ("120 cm", 80, "One motor, two memory heights."), ("140 cm", 100, "Two motors, four \
                memory heights."),
            ("160 cm", 120, "Two motors and a cable tray, lifts 120 kg."),
        ]),
        plain("Office Chair", "desk chair ergonomic swivel task", (129, 849), (11000, 23000),
            "An office chair with an adjustable back and seat.", &[
            ("Mesh", 95, "A net back for warm days."), ("Upholstered", 100, "Wool felt over moulded foam."),
            ("Headrest", 125, "A headrest and arms that move four ways."),
        ]),
        kind("Bookcase", "shelf shelving storage", (69, 429), (14000, 46000),
            "A bookcase that doesn't sag.", &[
            ("3-Shelf", 65, "88 cm high."), ("5-Shelf", 100, "180 cm high."), ("Ladder", 90, "Leans against the wall."),
        ]),
        kind("Side Table", "end table bedside nightstand", (39, 229), (3200, 11000),
            "A side table for lamp, book and cup.", &[
            ("Round", 90, "45 cm across."), ("Drawer", 120, "A drawer for what should not be \
                seen."),
        ]),
        kind("TV Stand", "media console lowboard sideboard", (119, 599), (21000, 48000),
            "A low unit with holes for cables.", &[
            ("120 cm", 85, "For screens of up to 50 \
                inches."), ("160 cm", 110, "For screens of up to 70 inches."),
        ]),
        kind("Drawer Unit", "filing cabinet pedestal office storage", (79, 299), (12000, 29000),
            "A drawer unit that rolls under the desk.", &[
            ("2-Drawer", 90, "One for files, one for the \
                rest."), ("Lockable 3-Drawer", 120, "One key locks all three."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const LIGHTING: Category = Category {
    name: "Lighting", code: "LGT", count: 110,
    about: "Lamps, bulbs and strips.",
    brands: &[("Lumivar", 100), ("Hearthline", 95), ("Ashcombe", 125), ("Glimvik", 110)],
    lines: &[
        ("Dusk", "for evenings"), ("Task", "for reading and work"), ("Gather", "for long dinners"), ("Arc", "for reading corners"),
        ("Mist", "for bedrooms"),
    ],
    finishes: &[("Brass", 100), ("Black", 100), ("White", 100), ("Linen", 100), ("Nickel", 100)],
    facts: &[
        "The light source can be replaced.", "Dims from 1 to 100 % without \
            flicker.", "Two-year warranty.",
        "Colour rendering above 90.", "A fabric cable of 2 m, where there is one.",
    ],
    kinds: &[
        kind("Desk Lamp", "reading light led table office", (29, 199), (700, 2600),
            "A desk lamp that throws light where the work is.", &[
            ("LED", 85, "Four shades of white and a night \
                mode."), ("Clamp", 95, "Screws to desks of up to 6 cm."),
            ("Wireless Charging", 125, "The base charges a phone."),
        ]),
        kind("Floor Lamp", "standing light living room", (59, 349), (3200, 8800),
            "A floor lamp with a foot switch.", &[
            ("", 90, "A linen shade and an E27 socket."), ("Uplight", 105, "Lights the ceiling, \
                dims by remote."),
            ("Tripod", 110, "Three legs of ash."),
        ]),
        kind("Pendant Light", "ceiling hanging lamp", (39, 299), (900, 3800),
            "A pendant with a canopy that hides the wires.", &[
            ("Small", 75, "22 cm across."), ("Large", 120, "45 cm across."), ("Cluster", 150, "Three shades on one canopy."),
        ]),
        plain("Smart Bulb", "led e27 colour lamp wifi", (9, 59), (40, 110),
            "A bulb that takes orders.", &[
            ("White E27", 65, "806 lumens, from candle to \
                daylight."), ("Colour E27", 110, "Sixteen million colours."),
            ("GU10", 85, "A spot for ceilings."), ("Filament E27", 100, "Looks old, isn't."),
        ]),
        plain("Light Strip", "led strip ambient backlight", (19, 119), (120, 520),
            "An LED strip to cut and stick.", &[
            ("2 m", 75, "For the back of a screen."), ("5 m", 110, "For a whole cornice."),
        ]),
        plain("Camping Lantern", "rechargeable outdoor lamp battery", (19, 99), (240, 820),
            "A rechargeable lantern with a hook.", &[
            ("", 90, "40 hours on low."), ("Solar", 125, "Charges on the backpack."),
        ]),
    ],
};
