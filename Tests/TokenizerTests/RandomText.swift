/// Text that mixes what splitting rules care about; only scalars on which old and new versions of Unicode agree.
struct RandomText {
    private static let pools: [[String]] =
        [
            "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "    ", "\n\r\t ",
            "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "漢字中文一龥豈々〇", "ひらがなカタカナｱ", "한국어가힣ㄱ", "ЁёЖжЩ", "ΑαΣσςΩ",
            "عربي٠١،۔", "हिन्दी०१।", "ไทยกำ้๑", "កាន់តែ១", "😀🚀👨‍👧🏽", "\u{301}\u{308}\u{903}\u{20DD}",
            "\u{A0}\u{2028}\u{3000}\u{85}\u{2003}\u{200B}\u{FEFF}", "ǅᾈʰˀªº", "Ⅷⅷ½²①", "！？：；，、。“”—…",
            "\u{E000}\u{378}\u{0}\u{1F}\u{7F}", "ÀÉßſK", "𝐀𐐀𐐨𠀀",
        ].map { $0.unicodeScalars.map { String($0) } } + [
            ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'x"]
        ]

    let text: String

    init(seed: UInt64) {
        var random = Generator(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let pools = (0..<Int.random(in: 1...6, using: &random)).map { _ in Self.pools.randomElement(using: &random)! }
        var text = ""
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            let part = pools.randomElement(using: &random)!.randomElement(using: &random)!
            let count = Int.random(in: 0..<10, using: &random) == 0 ? Int.random(in: 2...5, using: &random) : 1
            text += String(repeating: part, count: count)
        }
        self.text = text
    }

    /// SplitMix64.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }
}
