//! The frozen tables of the names of people, merchants and places.
//!
//! The people's names were chosen from the English tables of the `fake` crate, the rest was made for this
//! world. Merchant categories are codes of ISO 18245, countries of ISO 3166-1. Some cities have letters
//! beyond ASCII, as in real life.
//!
//! Invariant: no text needs escaping in JSON or is longer than 15 bytes; the tables never change within a
//! stream version.

use super::currency::CURRENCIES;
use crate::lines::line::Short;

/// First names of people.
pub(super) static FIRST_NAMES: [Short; 64] = shorts([
    "Ada", "Alan", "Alice", "Amara", "Anton", "Aron", "Bella", "Boris", "Bruno", "Carla", "Cesar", "Clara",
    "Cyrus", "Dana", "David", "Delia", "Edgar", "Elena", "Elias", "Emma", "Enzo", "Erika", "Ethan", "Fanny",
    "Felix", "Flora", "Frank", "Gerda", "Grace", "Hanna", "Harry", "Heidi", "Hugo", "Ida", "Igor", "Irene",
    "Ivan", "Jana", "Jonas", "Julia", "Karl", "Keiko", "Kurt", "Laura", "Leo", "Lena", "Luis", "Mara",
    "Marco", "Maria", "Max", "Mei", "Nadia", "Nils", "Nora", "Oscar", "Paula", "Pedro", "Rosa", "Samir",
    "Sofia", "Theo", "Vera", "Yuki",
]);

/// Last names of people.
pub(super) static LAST_NAMES: [Short; 64] = shorts([
    "Abbott", "Adams", "Bailey", "Baker", "Barton", "Becker", "Berg", "Blake", "Bosch", "Brandt", "Brown",
    "Carter", "Castro", "Clark", "Cohen", "Costa", "Cruz", "Dietz", "Dubois", "Ebert", "Evans", "Fisher",
    "Foster", "Franke", "Garcia", "Gomez", "Gray", "Green", "Haas", "Hansen", "Hill", "Huber", "Ito",
    "Jansen", "Jones", "Keller", "King", "Klein", "Lang", "Lopez", "Martin", "Meyer", "Moore", "Mori",
    "Nunez", "Olsen", "Parker", "Perez", "Price", "Reyes", "Rossi", "Ruiz", "Sato", "Schulz", "Silva",
    "Smith", "Suzuki", "Tanaka", "Turner", "Vogel", "Walker", "Weber", "White", "Young",
]);

/// The beginnings of merchants' names.
pub(super) static MERCHANT_NAMES: [Short; 32] = shorts([
    "Acorn", "Amber", "Anchor", "Blue", "Bright", "Cedar", "Copper", "Coral", "Crown", "Delta", "Ember",
    "Falcon", "Garden", "Golden", "Harbor", "Indigo", "Ivory", "Juniper", "Lantern", "Maple", "Meadow",
    "Northern", "Olive", "Orchard", "Pearl", "Quiet", "River", "Silver", "Summit", "Velvet", "Willow",
    "Zenith",
]);

/// Merchants' trades: the end of the name, and the category.
pub(super) static TRADES: [(Short, u32); 16] = [
    (Short::new(b"Air"), 4511),
    (Short::new(b"Taxi"), 4121),
    (Short::new(b"Telecom"), 4814),
    (Short::new(b"Energy"), 4900),
    (Short::new(b"Hardware"), 5251),
    (Short::new(b"Market"), 5411),
    (Short::new(b"Bakery"), 5462),
    (Short::new(b"Fuel"), 5541),
    (Short::new(b"Clothing"), 5651),
    (Short::new(b"Furniture"), 5712),
    (Short::new(b"Electronics"), 5732),
    (Short::new(b"Restaurant"), 5812),
    (Short::new(b"Pharmacy"), 5912),
    (Short::new(b"Books"), 5942),
    (Short::new(b"Hotel"), 7011),
    (Short::new(b"Cinema"), 7832),
];

/// A city and its country.
pub(super) type City = (Short, [u8; 2]);

/// Cities where each currency is used.
pub(super) static CITIES: [[City; 8]; CURRENCIES] = [
    [
        city("Berlin", *b"DE"),
        city("München", *b"DE"),
        city("Paris", *b"FR"),
        city("Lyon", *b"FR"),
        city("Milano", *b"IT"),
        city("Málaga", *b"ES"),
        city("Wien", *b"AT"),
        city("Utrecht", *b"NL"),
    ],
    [
        city("New York", *b"US"),
        city("Chicago", *b"US"),
        city("Houston", *b"US"),
        city("Boston", *b"US"),
        city("Seattle", *b"US"),
        city("Denver", *b"US"),
        city("Miami", *b"US"),
        city("Quito", *b"EC"),
    ],
    [
        city("London", *b"GB"),
        city("Leeds", *b"GB"),
        city("Bristol", *b"GB"),
        city("Glasgow", *b"GB"),
        city("Cardiff", *b"GB"),
        city("Belfast", *b"GB"),
        city("York", *b"GB"),
        city("Bath", *b"GB"),
    ],
    [
        city("東京", *b"JP"),
        city("大阪", *b"JP"),
        city("京都", *b"JP"),
        city("札幌", *b"JP"),
        city("Kobe", *b"JP"),
        city("Nagoya", *b"JP"),
        city("Sendai", *b"JP"),
        city("Fukuoka", *b"JP"),
    ],
    [
        city("São Paulo", *b"BR"),
        city("Recife", *b"BR"),
        city("Salvador", *b"BR"),
        city("Curitiba", *b"BR"),
        city("Manaus", *b"BR"),
        city("Natal", *b"BR"),
        city("Brasília", *b"BR"),
        city("Santos", *b"BR"),
    ],
    [
        city("Zürich", *b"CH"),
        city("Genève", *b"CH"),
        city("Basel", *b"CH"),
        city("Bern", *b"CH"),
        city("Lugano", *b"CH"),
        city("Luzern", *b"CH"),
        city("Chur", *b"CH"),
        city("Vaduz", *b"LI"),
    ],
    [
        city("Kuwait", *b"KW"),
        city("Hawalli", *b"KW"),
        city("Salmiya", *b"KW"),
        city("Jahra", *b"KW"),
        city("Ahmadi", *b"KW"),
        city("Fahaheel", *b"KW"),
        city("Mangaf", *b"KW"),
        city("Farwaniya", *b"KW"),
    ],
];

const fn city(name: &str, country: [u8; 2]) -> City {
    (Short::new(name.as_bytes()), country)
}

const fn shorts<const N: usize>(texts: [&str; N]) -> [Short; N] {
    let mut shorts = [Short::EMPTY; N];
    let mut at = 0;
    while at < N {
        shorts[at] = Short::new(texts[at].as_bytes());
        at += 1;
    }
    shorts
}
