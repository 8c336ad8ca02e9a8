//! Headphones, speakers, cameras and wearables. Data only.

use super::{Category, kind, plain};

#[rustfmt::skip]
pub(super) const HEADPHONES: Category = Category {
    name: "Headphones", code: "HDP", count: 170,
    about: "Headphones and earbuds for music, calls and quiet.",
    brands: &[("Norvane", 125), ("Halvik", 105), ("Tessaro", 150), ("Bramwick", 90), ("Ocelle", 80), ("Lumivar", 100)],
    lines: &[
        ("Drift", "made for the daily commute"), ("Chorus", "tuned for long listening at home"),
        ("Foyer", "designed for open offices"), ("Tempo", "built for training"),
        ("Marrow", "voiced for studio work"), ("Lull", "made for quiet"), ("Relay", "built around clear calls"),
    ],
    finishes: &[("Graphite", 100), ("Sand", 100), ("Midnight Blue", 100), ("Sage", 100), ("White", 100), ("Rust", 100)],
    facts: &[
        "Ships with a braided cable and a soft \
         pouch.", "Wearing parts can be replaced without tools.",
        "Two-year warranty, spare parts for seven years.", "Tested by ear in three rooms before it \
            is packed.",
        "Packed without plastic.", "Quick start: ten minutes of charge give two hours of play, \
            where a battery is built in.",
    ],
    kinds: &[
        kind("Over-Ear Headphones", "headset cans circumaural", (69, 329), (210, 340),
            "Closed-back over-ear headphones with 40 mm drivers and memory-foam pads.", &[
            ("", 85, "A 3.5 mm plug works with everything that has a socket."),
            ("Wireless", 115, "Bluetooth 5.3 keeps two devices connected, for up to 38 hours."),
            ("Wireless Noise-Cancelling", 150, "Six microphones cancel engine and office noise; \
                transparency mode lets voices in."),
            ("Studio", 130, "A flat response and a 3 m detachable cable suit mixing and \
                monitoring."),
        ]),
        kind("On-Ear Headphones", "headset supra-aural foldable", (39, 159), (130, 210),
            "Light on-ear headphones that fold into a jacket pocket.", &[
            ("", 85, "The tangle-resistant cable has an inline microphone."),
            ("Wireless", 115, "Bluetooth with a 30-hour battery and USB-C charging."),
            ("Wireless Noise-Cancelling", 145, "Hybrid noise cancelling takes the edge off trains \
                and cabins."),
        ]),
        kind("Earbuds", "earphones in-ear buds true wireless", (35, 229), (38, 62),
            "In-ear buds with three sizes of silicone tips.", &[
            ("", 55, "A wired pair with a USB-C plug and a three-button remote."),
            ("True Wireless", 100, "Eight hours a charge, thirty with the case, and IPX4 against \
                rain."),
            ("True Wireless Noise-Cancelling", 140, "Adaptive noise cancelling follows how loud \
                the place is."),
            ("Sport", 90, "Ear hooks and IP67 sealing keep them in and alive on a wet run."),
        ]),
        kind("Open-Back Headphones", "audiophile hi-fi reference", (149, 599), (240, 390),
            "Open-back headphones with a wide stage for critical listening.", &[
            ("", 100, "Dynamic 50 mm drivers need no separate amplifier."),
            ("Planar", 165, "Planar-magnetic drivers show detail at any volume; an amplifier \
                helps."),
        ]),
        kind("Headset", "headphones microphone call gaming conference boom", (45, 199), (160, 330),
            "A headset whose boom microphone folds away.", &[
            ("USB", 85, "One USB-C cable and no driver to install."),
            ("Wireless", 120, "A 2.4 GHz dongle and Bluetooth, switched with one key."),
            ("Gaming", 115, "Low-latency audio, a detachable boom and cloth pads that stay cool."),
            ("Mono", 70, "One ear stays free for the room; made for a full day of calls."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const SPEAKERS: Category = Category {
    name: "Speakers", code: "SPK", count: 130,
    about: "Portable, bookshelf and home cinema speakers.",
    brands: &[("Norvane", 120), ("Halvik", 100), ("Tessaro", 155), ("Brightwell Audio", 130), ("Ocelle", 80)],
    lines: &[
        ("Alcove", "sized for shelves and small rooms"), ("Promenade", "made to be carried"),
        ("Gable", "built for the living room"), ("Ember", "voiced warm"), ("Vault", "for those who like it loud"),
        ("Cove", "made for kitchens and bathrooms"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Walnut", 100), ("Moss", 100), ("Terracotta", 100), ("Slate", 100)],
    facts: &[
        "The fabric front comes off for cleaning.", "Grille and feet are sold singly.",
        "Rubber feet spare the \
         furniture.", "Made with 60 % recycled plastic.", "Three-year warranty.",
    ],
    kinds: &[
        kind("Portable Speaker", "bluetooth boombox travel", (39, 249), (380, 1600),
            "A portable Bluetooth speaker that fills a table, not the whole park.", &[
            ("Bluetooth", 100, "Twelve hours of play and a USB-C socket that also charges a \
                phone."),
            ("Waterproof Bluetooth", 125, "IP67: it floats, and rinses clean after the beach."),
            ("Mini Bluetooth", 60, "Small enough for a water-bottle pocket, with ten hours of \
                play."),
        ]),
        kind("Bookshelf Speakers", "stereo pair hi-fi passive active", (149, 799), (4200, 9800),
            "A pair of two-way speakers with a 25 mm dome tweeter.", &[
            ("Passive", 90, "For any amplifier of 20 to 100 watts."),
            ("Active", 130, "Amplifier, phono input and HDMI ARC are built in."),
            ("Wireless Active", 160, "Streams over Wi-Fi and Bluetooth, without a cable between \
                the two."),
        ]),
        kind("Soundbar", "tv home cinema theater", (119, 649), (2100, 5200),
            "A low soundbar that fits under most televisions.", &[
            ("2.1", 85, "A wireless subwoofer adds what flat screens lack."),
            ("3.1", 110, "A centre channel keeps dialogue clear at low volume."),
            ("5.1", 150, "Two small rear speakers complete the room."),
        ]),
        kind("Smart Speaker", "voice assistant multiroom wifi", (59, 229), (600, 2100),
            "A Wi-Fi speaker with a microphone that can be switched off in hardware.", &[
            ("", 90, "Plays from the usual services and answers to your voice."),
            ("Multiroom", 120, "Groups with others of its line for the same song in every room."),
        ]),
        kind("Subwoofer", "bass sub home cinema", (189, 699), (8200, 17500),
            "A sealed subwoofer for music first and explosions second.", &[
            ("8-inch", 85, "A 150 watt amplifier and a footprint like a sheet of paper."),
            ("10-inch", 115, "A 300 watt amplifier reaches down to 24 Hz."),
            ("12-inch", 145, "A 500 watt amplifier for rooms above 30 square metres."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const CAMERAS: Category = Category {
    name: "Cameras", code: "CAM", count: 110,
    about: "Cameras, lenses and what holds them.",
    brands: &[("Pellarin", 140), ("Orrinode", 115), ("Kvist", 100), ("Falkenau", 125), ("Tindra", 85)],
    lines: &[
        ("Meridian", "an all-rounder"), ("Atelier", "for portraits and products"), ("Fathom", "for rough weather"),
        ("Vista", "for landscapes"), ("Pilgrim", "small enough to carry all \
            day"), ("Reportage", "quick and silent"),
    ],
    finishes: &[("Black", 100), ("Silver", 100), ("Graphite", 100), ("Olive", 100)],
    facts: &[
        "Cleaning cloth and pouch included.", "Registered owners get a third year of warranty.",
        "Serviced by the maker for ten \
         years.", "Tested from -10 to 40 °C.", "Manual on paper in five languages.",
    ],
    kinds: &[
        kind("Mirrorless Camera", "system camera interchangeable lens photo \
            video", (549, 2799), (380, 760),
            "A mirrorless camera with an electronic viewfinder and a tilting screen.", &[
            ("24 MP", 85, "A 24-megapixel APS-C sensor and 4K video at 30 frames."),
            ("33 MP", 115, "A 33-megapixel full-frame sensor with five-axis stabilisation."),
            ("45 MP", 155, "A 45-megapixel full-frame sensor, dual card slots and weather seals."),
        ]),
        kind("Compact Camera", "point and shoot pocket travel", (249, 999), (190, 340),
            "A pocket camera that takes better pictures than a phone in the dark.", &[
            ("10x Zoom", 90, "A 24-240 mm equivalent zoom with optical stabilisation."),
            ("Fixed-Lens", 120, "A bright 28 mm f/1.8 lens in front of a 1-inch sensor."),
            ("Waterproof", 85, "Down to 15 m of water and up to 2 m of fall."),
        ]),
        kind("Action Camera", "sports helmet waterproof video", (129, 479), (90, 170),
            "An action camera with mounts for helmets, handlebars and chests.", &[
            ("4K", 90, "4K at 60 frames with horizon levelling."),
            ("5.3K", 130, "5.3K at 60 frames, HDR and two screens."),
        ]),
        plain("Prime Lens", "objective 35mm 50mm 85mm photography", (219, 1399), (160, 690),
            "A fixed focal length with fast, quiet focusing.", &[
            ("35 mm f/1.8", 85, "Wide enough for rooms, natural enough for people."),
            ("50 mm f/1.4", 105, "The classic view, with room to blur what is behind."),
            ("85 mm f/1.8", 115, "Flattering distance for portraits."),
        ]),
        kind("Tripod", "stand mount travel head", (49, 389), (680, 2400),
            "A tripod with twist locks and an Arca-type plate.", &[
            ("Aluminium", 75, "Carries 8 kg and folds to 48 cm."),
            ("Carbon", 150, "Carries 10 kg, weighs a third less and damps wind."),
            ("Tabletop", 45, "Fits a coat pocket and holds a camera at dinner height."),
        ]),
        kind("Webcam", "video call streaming conference", (49, 199), (90, 190),
            "A webcam with a glass lens and a sliding shutter.", &[
            ("1080p", 80, "Full HD at 60 frames, and two microphones."),
            ("4K", 130, "4K with automatic framing of who speaks."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const WEARABLES: Category = Category {
    name: "Wearables", code: "WRB", count: 120,
    about: "Watches, trackers and what straps them on.",
    brands: &[("Tindra", 90), ("Vexmoor", 120), ("Kvist", 100), ("Solenne", 135), ("Orrinode", 110)],
    lines: &[
        ("Pulse", "for everyday health"), ("Ridge", "for mountains and mud"), ("Metro", "for the office"),
        ("Harbor", "for swimmers and sailors"), ("Stride", "for runners"), ("Luna", "slim and light"),
    ],
    finishes: &[("Black", 100), ("Silver", 100), ("Rose Gold", 100), ("Forest", 100), ("Sand", 100), ("Navy", 100)],
    facts: &[
        "Free of nickel and latex.", "Water-resistant to 50 m.", "Sixty days to return it, worn or \
            not.",
        "Packed without plastic.", "Two-year warranty.",
    ],
    kinds: &[
        kind("Smartwatch", "watch fitness gps health", (119, 449), (32, 68),
            "A smartwatch with an always-on display and heart-rate sensor.", &[
            ("", 85, "Notifications, sleep and forty kinds of sport; six days a charge."),
            ("GPS", 110, "AuditLog routes without a phone on two frequencies."),
            ("LTE", 145, "Calls and music without a phone nearby."),
        ]),
        kind("Fitness Tracker", "band bracelet steps sleep heart rate", (35, 129), (18, 32),
            "A slim band that counts steps, sleep and heartbeats.", &[
            ("", 90, "Two weeks on one charge."),
            ("GPS", 130, "Built-in GPS maps the run by itself."),
        ]),
        kind("Running Watch", "gps sport triathlon training", (179, 649), (38, 72),
            "A running watch with buttons that work in gloves and rain.", &[
            ("", 90, "Training load, recovery and 30 hours of GPS."),
            ("Solar", 125, "A solar lens adds days on long tours."),
            ("Mapping", 140, "Topographic maps and turn-by-turn routes offline."),
        ]),
        kind("Smart Ring", "sleep tracker health finger", (149, 349), (3, 6),
            "A titanium ring that tracks sleep, temperature and pulse.", &[
            ("Size 8", 100, "Measure first with the free sizing kit."),
            ("Size 10", 100, "Measure first with the free sizing kit."),
            ("Size 12", 100, "Measure first with the free sizing kit."),
        ]),
        kind("Watch Strap", "band bracelet replacement 20mm 22mm", (15, 79), (14, 60),
            "A quick-release strap for 20 and 22 mm lugs.", &[
            ("Silicone", 65, "Soft, sweat-proof and easy to rinse."),
            ("Leather", 130, "Vegetable-tanned and better with age."),
            ("Woven", 90, "Nylon that dries in minutes."),
            ("Steel", 150, "A milanese mesh with a magnetic clasp."),
        ]),
    ],
};
