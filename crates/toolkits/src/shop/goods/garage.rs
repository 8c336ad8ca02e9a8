//! Garden, toys and games, stationery. Data only.

use super::{Category, kind, plain};

#[rustfmt::skip]
pub(super) const GARDEN: Category = Category {
    name: "Garden", code: "GRD", count: 120,
    about: "Tools, pots and water for beds and balconies.",
    brands: &[("Plainwood", 90), ("Ashcombe", 125), ("Greenholt", 105), ("Brennhaus", 130)],
    lines: &[
        ("Orchard", "for trees"), ("Balcony", "for small spaces"), ("Border", "for flower beds"), ("Harvest", "for vegetables"),
        ("Cottage", "for old-fashioned gardens"),
    ],
    finishes: &[("Green", 100), ("Anthracite", 100), ("Terracotta", 100), ("Natural", 100)],
    facts: &[
        "Ash handles from managed woods.", "Ten-year warranty against rust.", "Spare blades and \
            seals in stock.",
        "Frost-proof to -15 °C.", "Weighs less than it looks.",
    ],
    kinds: &[
        plain("Secateurs", "pruners pruning shears", (19, 89), (180, 320),
            "Secateurs that cut clean through 22 mm.", &[
            ("Bypass", 95, "For living wood."), ("Anvil", 85, "For dead wood."), ("Ratchet", 115, "Three \
                small squeezes instead of a large one."),
        ]),
        plain("Garden Hose", "water pipe reel", (25, 149), (1900, 7200),
            "A hose that does not kink.", &[
            ("20 m", 80, "With four connectors."), ("30 m", 105, "With four connectors."), ("Reel 25 m", 150, "Winds itself up."),
        ]),
        kind("Planter", "pot plant flower box", (15, 139), (700, 9200),
            "A planter with a reservoir under the soil.", &[
            ("20 cm", 55, "For herbs."), ("35 cm", 95, "For tomatoes."), ("Balcony Box", 85, "80 cm, hooks included."),
        ]),
        plain("Spade", "shovel digging tool", (25, 99), (1200, 2300),
            "A spade with a tread that spares the shoe.", &[
            ("Digging", 100, "Boron steel."), ("Border", 90, "A narrow blade for beds."),
        ]),
        plain("Hedge Trimmer", "cutter electric battery", (59, 289), (2100, 4300),
            "A hedge trimmer with a 55 cm blade.", &[
            ("Corded", 70, "500 watts."), ("Cordless", 115, "18 volts, 50 minutes a charge."),
        ]),
        kind("Watering Can", "irrigation spout", (15, 69), (380, 1500),
            "A watering can that pours to the last drop.", &[
            ("1.5 L", 65, "For windowsills."), ("9 L", 105, "With a brass rose."),
        ]),
        kind("Raised Bed", "vegetable bed wooden box", (49, 299), (9000, 34000),
            "A raised bed that spares the back.", &[
            ("Wood", 90, "Larch, without treatment."), ("Steel", 110, "Corrugated, coated and \
                rounded at the corners."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const GAMES: Category = Category {
    name: "Toys & Games", code: "TOY", count: 120,
    about: "Board games, puzzles and things to build.",
    brands: &[("Foxglove Games", 110), ("Tumbleyard", 95), ("Kobold & Crown", 120), ("Paper Lantern", 100)],
    lines: &[
        ("Lanternfall", "set in a town of night \
            markets"), ("Tidebound", "set among islands"), ("Little Cartographers", "set on an empty map"),
        ("Hollow Wood", "set among talking animals"), ("Sky Harbor", "set in a port for airships"), ("Grand Bazaar", "set between a hundred stalls"),
        ("Winterkeep", "set in a snowed-in castle"),
    ],
    finishes: &[],
    facts: &[
        "Rules in English, German, French and \
         Spanish.", "Lost pieces are replaced free of charge.", "Printed in Europe on certified paper.",
        "Independent of language once the rules are \
         read.", "Nominated for three prizes, winner of one.",
    ],
    kinds: &[
        kind("Board Game", "family strategy table game", (25, 89), (700, 2600),
            "A board game that is explained in ten minutes.", &[
            ("Family", 85, "2 to 5 players from age 8, 45 minutes."), ("Strategy", 120, "1 to 4 \
                players from age 12, 90 minutes."),
            ("Cooperative", 100, "2 to 4 players against the board, 60 \
                minutes."), ("Two-Player", 75, "For exactly two, 30 minutes."),
            ("Deluxe", 160, "Wooden pieces and a double-layered \
                board."), ("Travel", 60, "Magnets, in a tin."),
        ]),
        kind("Card Game", "deck party cards", (9, 35), (120, 480),
            "A card game for a train table.", &[
            ("", 100, "2 to 6 players, 20 minutes."), ("Party", 105, "4 to 12 players, loud."), ("Solo", 90, "One \
                player, a new puzzle each day."),
            ("Kids", 80, "From age 5."), ("Expansion", 85, "Sixty new cards; needs the base game."),
        ]),
        kind("Jigsaw Puzzle", "1000 pieces puzzle", (12, 45), (450, 1300),
            "A jigsaw with pieces that fit only where they belong.", &[
            ("500-Piece", 75, "One evening."), ("1,000-Piece", 100, "One weekend."), ("2,000-Piece", 145, "One winter."), ("Wooden", 190, "Laser-cut, \
                300 pieces, none alike."),
        ]),
        kind("Building Set", "construction blocks bricks", (19, 149), (350, 2900),
            "A building set with real gears.", &[
            ("Starter", 70, "180 parts, six models."), ("Motor", 125, "420 parts and a motor."), ("Marble Run", 110, "260 \
                parts and eighty marbles."),
        ]),
        kind("Wooden Toy", "toddler play beech", (15, 79), (250, 1500),
            "A toy of beech and water-based paint.", &[
            ("Train", 100, "Eight metres of possible \
                track."), ("Shape Sorter", 80, "From 12 months."), ("Play Kitchen", 150, "Opens from both sides."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const STATIONERY: Category = Category {
    name: "Stationery", code: "STA", count: 130,
    about: "Notebooks, pens and order on the desk.",
    brands: &[("Quillon", 120), ("Paper Lantern", 100), ("Marlowe & Finch", 125), ("Foliant", 90)],
    lines: &[
        ("Margin", "for thinkers"), ("Field", "for pockets"), ("Signature", "for letters"), ("Atlas", "for planners"), ("Chalk", "for drafts and lists"),
    ],
    finishes: &[("Black", 100), ("Navy", 100), ("Ochre", 100), ("Sage", 100), ("Crimson", 100), ("Sky", 100)],
    facts: &[
        "Acid-free paper, where there is \
         paper.", "Refills in stock.", "Made in Portugal.", "Lies flat on the desk.",
        "Wrapped in paper band, not film.",
    ],
    kinds: &[
        kind("Notebook", "journal diary paper", (7, 35), (120, 520),
            "A thread-bound notebook with numbered pages.", &[
            ("A6 Dotted", 65, "128 pages of 90 g paper."), ("A5 Dotted", 95, "240 pages of 100 g paper."),
            ("A5 Lined", 95, "240 pages of 100 g paper."), ("A4 Plain", 120, "160 pages for sketches."),
        ]),
        kind("Fountain Pen", "ink nib writing", (19, 189), (12, 38),
            "A fountain pen that starts at the first stroke.", &[
            ("Fine", 100, "A steel nib, 0.5 mm."), ("Medium", 100, "A steel nib, 0.7 mm."), ("Gold Nib", 190, "A 14-carat nib that gives."),
        ]),
        plain("Gel Pens", "pen set writing", (5, 29), (25, 160),
            "Gel pens that dry before the hand comes.", &[
            ("3-Pack", 70, "0.5 mm."), ("6-Pack", 105, "0.5 mm, in six colours."), ("12-Pack", 150, "0.38 mm, in twelve colours."),
        ]),
        plain("Desk Organizer", "storage pen holder tidy", (15, 89), (320, 1900),
            "A place for pens, paper and keys.", &[
            ("Oak", 115, "Oiled wood, felt underneath."), ("Steel", 90, "Powder-coated, stacks."),
        ]),
        kind("Weekly Planner", "calendar diary agenda 2027", (9, 39), (150, 480),
            "A planner with a week on two pages.", &[
            ("A5 2027", 100, "January to December 2027."), ("Undated A5", 95, "Starts when you do."), ("Desk Pad", 85, "52 sheets to tear off."),
        ]),
        plain("Whiteboard", "magnetic board wall office", (25, 199), (1200, 8600),
            "A magnetic whiteboard with a pen tray.", &[
            ("60 x 40 cm", 60, "For the kitchen."), ("90 x 60 cm", 95, "For the office."), ("Glass 90 x 60 cm", 160, "No ghosts of old plans."),
        ]),
    ],
};
