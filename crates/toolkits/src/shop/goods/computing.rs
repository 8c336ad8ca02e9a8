//! Keyboards, mice, monitors, storage and power. Data only.

use super::{Category, kind};

#[rustfmt::skip]
pub(super) const KEYBOARDS: Category = Category {
    name: "Keyboards", code: "KEY", count: 140,
    about: "Keyboards and what goes with them.",
    brands: &[("Quillon", 120), ("Kordell", 100), ("Typhoon Works", 135), ("Bramwick", 80), ("Vexmoor", 110)],
    lines: &[
        ("Cadence", "made for people who write all \
            day"), ("Anvil", "heavy and steady"), ("Sprint", "made for games"),
        ("Nomad", "thin enough for a laptop \
            sleeve"), ("Office", "quiet among colleagues"), ("Folio", "for tablets and phones"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Grey", 100), ("Navy", 100), ("Lilac", 100), ("Olive", 100)],
    facts: &[
        "US and ISO layouts for twelve languages.", "Caps are double-shot, so letters don't wear \
            off.",
        "Made with 40 % recycled plastic.", "Also sold refurbished.", "Two-year warranty.",
    ],
    kinds: &[
        kind("Mechanical Keyboard", "typing switches tenkeyless gaming", (69, 239), (720, 1250),
            "A mechanical keyboard with hot-swappable switches.", &[
            ("", 85, "A detachable USB-C cable and brown tactile switches."),
            ("Wireless", 120, "Bluetooth for three devices, a 2.4 GHz dongle and 200 hours of \
                battery."),
            ("75%", 100, "The compact layout keeps arrows and function keys."),
            ("Silent", 110, "Damped linear switches for shared rooms."),
            ("Wireless 75%", 130, "Compact, cable-free, with a gasket mount that softens each \
                key."),
        ]),
        kind("Keyboard", "typing membrane scissor low profile office", (25, 119), (420, 780),
            "A slim keyboard with scissor keys and a number pad.", &[
            ("", 65, "Plug in the cable and type."),
            ("Wireless", 100, "Bluetooth and a dongle, two years on two AAA cells."),
            ("Backlit Wireless", 130, "White backlight that follows the room's light."),
            ("Rechargeable Wireless", 120, "USB-C charging, four months a charge."),
        ]),
        kind("Ergonomic Keyboard", "split tented wrist rsi", (79, 289), (780, 1350),
            "A keyboard shaped like hands, not like a typewriter.", &[
            ("Curved", 80, "A wave-shaped layout with a padded palm rest."),
            ("Split", 130, "Two halves, tented from 0 to 15 degrees."),
            ("Wireless Split", 155, "Two halves without a cable between them."),
        ]),
        kind("Numeric Keypad", "number pad numpad calculator", (19, 69), (110, 240),
            "A number pad for keyboards that lost theirs.", &[
            ("", 80, "USB, with calculator keys on the top row."),
            ("Wireless", 115, "Bluetooth, to sit left or right of the keyboard."),
        ]),
        kind("Keyboard and Mouse Set", "combo bundle desktop wireless", (35, 139), (620, 1100),
            "A keyboard and a mouse that share one receiver.", &[
            ("Wireless", 100, "Both last a year on the included batteries."),
            ("Silent Wireless", 120, "Keys and buttons click at a whisper."),
        ]),
        kind("Keycap Set", "caps pbt replacement", (25, 99), (280, 460),
            "PBT keycaps for the usual switches, with extra keys for odd layouts.", &[
            ("Cherry Profile", 100, "Sculpted rows in the classic height."),
            ("Low Profile", 90, "For slim mechanical boards."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const MICE: Category = Category {
    name: "Mice", code: "MOU", count: 110,
    about: "Mice, trackballs and pads.",
    brands: &[("Quillon", 115), ("Kordell", 100), ("Vexmoor", 125), ("Bramwick", 80)],
    lines: &[
        ("Glide", "for every desk"), ("Sprint", "made for games"), ("Nomad", "for travel"), ("Palm", "for large hands"),
        ("Petal", "for small hands"), ("Office", "quiet among colleagues"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Graphite", 100), ("Sky", 100), ("Rose", 100), ("Sage", 100)],
    facts: &[
        "Packed without plastic.", "Wearing parts can be replaced.", "Two-year warranty.", "Made \
            with 40 % recycled plastic.",
        "Also sold refurbished.",
    ],
    kinds: &[
        kind("Mouse", "wireless optical computer pointing", (15, 99), (70, 130),
            "A mouse with a tracking sensor that works on glass.", &[
            ("Wired", 55, "A 1.8 m cable and nothing to charge."),
            ("Wireless", 100, "A dongle and Bluetooth, one year on an AA cell."),
            ("Silent Wireless", 115, "Clicks that nobody else hears."),
            ("Rechargeable Wireless", 130, "A minute of USB-C gives an afternoon."),
        ]),
        kind("Vertical Mouse", "ergonomic wrist rsi", (29, 119), (90, 160),
            "A mouse held like a handshake, at 57 degrees.", &[
            ("", 80, "With a cable and adjustable sensitivity."),
            ("Wireless", 110, "Bluetooth for three computers."),
            ("Left-Handed Wireless", 120, "The same shape for the other hand."),
        ]),
        kind("Gaming Mouse", "fps esports rgb", (39, 159), (55, 110),
            "A gaming mouse with a 26,000 dpi sensor and optical switches.", &[
            ("", 80, "A soft paracord cable that doesn't drag."),
            ("Wireless", 120, "1 ms over 2.4 GHz, 90 hours a charge."),
            ("Ultralight Wireless", 145, "55 grams without holes in the shell."),
        ]),
        kind("Trackball", "ergonomic thumb ball pointing", (35, 129), (140, 270),
            "A trackball for desks without room to move.", &[
            ("Wireless Thumb", 95, "The thumb moves the ball, the hand rests."),
            ("Finger", 110, "A large ball for either hand."),
        ]),
        kind("Mouse Pad", "desk mat mousepad", (9, 59), (120, 900),
            "A mouse pad with a stitched edge and a rubber base.", &[
            ("Medium", 60, "25 by 30 cm."),
            ("Desk-Size", 120, "40 by 90 cm, for mouse and keyboard."),
            ("Wool Felt", 140, "Felt from German wool, 30 by 80 cm."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const MONITORS: Category = Category {
    name: "Monitors", code: "MON", count: 100,
    about: "Monitors, and arms to hold them.",
    brands: &[("Lumivar", 100), ("Vexmoor", 115), ("Ostrel", 90), ("Tessaro", 140)],
    lines: &[
        ("Canvas", "for photo and print"), ("Clarity", "for office work"), ("Arena", "for games"),
        ("Horizon", "for many windows at once"), ("Studio", "for film and design"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Silver", 100)],
    facts: &[
        "VESA 100 mount.", "Exchanged on the doorstep within three \
            years.", "All cables and screws included.",
        "Ships in recyclable pulp.", "Five-year warranty.",
    ],
    kinds: &[
        kind("24-inch Monitor", "display screen full hd", (119, 299), (3200, 5200),
            "A 24-inch IPS monitor for smaller desks.", &[
            ("Full HD", 85, "1920 by 1080 at 100 Hz."),
            ("QHD", 120, "2560 by 1440 for sharper text."),
        ]),
        kind("27-inch Monitor", "display screen 4k qhd", (199, 749), (4600, 7400),
            "A 27-inch IPS monitor, the size that suits most desks.", &[
            ("QHD", 80, "2560 by 1440 at 100 Hz."),
            ("4K", 115, "3840 by 2160, factory-calibrated."),
            ("4K USB-C", 135, "One cable for picture, network and 90 watts of charge."),
            ("165 Hz Gaming", 105, "QHD at 165 Hz with variable refresh."),
        ]),
        kind("32-inch Monitor", "display screen 4k large", (299, 1099), (6400, 9800),
            "A 32-inch monitor with room for two documents.", &[
            ("4K", 95, "3840 by 2160 with 95 % of DCI-P3."),
            ("OLED", 170, "True black and 240 Hz."),
        ]),
        kind("Ultrawide Monitor", "34-inch 21:9 curved display screen", (349, 1199), (7200, 11500),
            "A 34-inch curved monitor that replaces two.", &[
            ("", 90, "3440 by 1440 at 100 Hz."),
            ("USB-C", 115, "A hub with network and 90 watts of charge."),
            ("Gaming", 120, "165 Hz and a 1500R curve."),
        ]),
        kind("Portable Monitor", "travel second screen usb-c", (119, 379), (580, 1100),
            "A portable second screen in a folding cover.", &[
            ("14-inch", 85, "Full HD over one USB-C cable."),
            ("16-inch", 110, "2560 by 1600, with a kickstand."),
            ("Touch", 135, "Ten-finger touch and a pen slot."),
        ]),
        kind("Monitor Arm", "mount desk stand vesa", (39, 229), (2300, 6100),
            "A gas-spring arm that clears the desk under the screen.", &[
            ("Single", 80, "For one screen of up to 9 kg."),
            ("Dual", 135, "For two screens of up to 8 kg each."),
            ("Heavy-Duty", 150, "For an ultrawide of up to 16 kg."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const STORAGE: Category = Category {
    name: "Storage", code: "STO", count: 120,
    about: "Drives, cards and network storage.",
    brands: &[("Ostrel", 90), ("Granite Data", 115), ("Kordell", 100), ("Norvane", 120)],
    lines: &[
        ("Ledger", "for backups"), ("Bolt", "for speed"), ("Trek", "for the road"), ("Archive", "for years on a shelf"),
        ("Core", "for everyday work"),
    ],
    finishes: &[("256 GB", 50), ("512 GB", 70), ("1 TB", 105), ("2 TB", 175)],
    facts: &[
        "Five-year warranty.", "Comes with a USB-C cable or adapter where one is needed.",
        "Readable on Windows, macOS and \
         Linux.", "Tested before it leaves the factory.", "Works with consoles as well.",
    ],
    kinds: &[
        kind("Portable SSD", "external drive usb-c backup disk", (69, 289), (40, 90),
            "A pocket SSD in a metal shell.", &[
            ("", 90, "1,000 MB/s over USB-C."),
            ("Rugged", 110, "Survives a 3 m fall, dust and rain."),
            ("USB4", 150, "3,800 MB/s, fast enough to edit on."),
        ]),
        kind("NVMe SSD", "m.2 internal drive pcie laptop", (49, 319), (8, 22),
            "An M.2 2280 drive for laptops and desktops.", &[
            ("Gen3", 75, "3,500 MB/s reading over PCIe 3."),
            ("Gen4", 100, "7,200 MB/s reading over PCIe 4."),
            ("Gen5", 145, "12,000 MB/s reading over PCIe 5, with a heat spreader."),
        ]),
        kind("External Hard Drive", "hdd portable usb backup disk", (55, 139), (150, 260),
            "A 2.5-inch drive for large and patient files.", &[
            ("", 90, "USB 3.2 and no power brick."),
            ("Encrypted", 130, "A keypad keeps strangers out."),
        ]),
        kind("microSD Card", "memory card camera phone tf", (12, 129), (1, 2),
            "A microSD card with a full-size adapter.", &[
            ("", 70, "U3, V30: good for 4K video."),
            ("Endurance", 100, "Made for dashcams that never stop writing."),
            ("Pro", 130, "200 MB/s reading for full cards at the end of the day."),
        ]),
        kind("USB Stick", "flash drive thumb usb-c memory", (15, 119), (6, 20),
            "A USB stick with USB-A and USB-C plugs.", &[
            ("", 80, "400 MB/s reading."),
            ("Metal", 100, "A zinc shell that lives on a key ring."),
        ]),
    ],
};

#[rustfmt::skip]
pub(super) const POWER: Category = Category {
    name: "Power & Charging", code: "PWR", count: 140,
    about: "Chargers, cables and batteries.",
    brands: &[("Ostrel", 90), ("Volt & Lane", 115), ("Halvik", 105), ("Bramwick", 80), ("Kvist", 110)],
    lines: &[
        ("Surge", "for the desk"), ("Carry", "for the bag"), ("Nightstand", "for the bedroom"), ("Roadside", "for the car"),
        ("Trail", "for days away from sockets"),
    ],
    finishes: &[("Black", 100), ("White", 100), ("Slate", 100), ("Sand", 100)],
    facts: &[
        "Protected against heat, short circuits and \
         overcharging.", "Tested with devices of eleven makers.",
        "Two-year warranty.", "Paper packaging.", "Certified to the current safety standards.",
    ],
    kinds: &[
        kind("USB-C Charger", "power adapter wall plug gan fast charging", (15, 99), (45, 260),
            "A gallium-nitride wall charger no larger than it must be.", &[
            ("30 W", 60, "One port, enough for a phone or a tablet."),
            ("65 W", 100, "Two ports, enough for most laptops."),
            ("100 W", 135, "Three ports, shared by what is plugged in."),
            ("140 W", 165, "Four ports for a whole desk."),
        ]),
        kind("Power Bank", "battery pack portable charger", (19, 139), (110, 640),
            "A power bank with a display that shows what is left.", &[
            ("5,000 mAh", 55, "One charge for a phone, thinner than the phone."),
            ("10,000 mAh", 85, "Two charges, 22 watts."),
            ("20,000 mAh", 130, "Four charges, 65 watts, laptops as well."),
            ("Magnetic", 100, "Clings to the phone and charges without a cable."),
        ]),
        kind("USB-C Cable", "charging cord lead data", (7, 39), (25, 90),
            "A braided cable with strain relief at both ends.", &[
            ("1 m", 75, "100 watts and USB 2 data."),
            ("2 m", 100, "100 watts, long enough for the sofa."),
            ("Thunderbolt", 180, "40 Gbit/s and 100 watts, 80 cm."),
        ]),
        kind("Wireless Charger", "qi2 magnetic pad stand", (19, 119), (90, 420),
            "A Qi2 charger that finds the phone by magnet.", &[
            ("Pad", 65, "15 watts from a disc of aluminium."),
            ("Stand", 100, "Upright, so that the screen stays readable."),
            ("3-in-1", 150, "Phone, watch and earbuds at once."),
        ]),
        kind("Car Charger", "usb 12v vehicle", (12, 49), (25, 80),
            "A charger for the 12-volt socket.", &[
            ("Dual", 85, "USB-C and USB-A, 38 watts in all."),
            ("Retractable", 120, "Two cables that wind themselves up."),
        ]),
        kind("Surge Protector", "power strip extension socket", (19, 89), (380, 1200),
            "A power strip with surge protection and a 2 m lead.", &[
            ("4-Way", 75, "Four sockets, turned so that large plugs fit."),
            ("6-Way", 95, "Six sockets and a switch for all."),
            ("USB-C", 125, "Six sockets and two 30-watt USB-C ports."),
        ]),
    ],
};
