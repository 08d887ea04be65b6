// Every value of `tokenizer.ggml.pre` that llama.cpp knows. Patterns are the models' own where llama.cpp names them: its
// engine, std::regex on text reduced to ASCII, makes it replace some by approximations (`\p{Lu}` by "not a-z", no marks).
extension PreTokenizer {
    /// Where the metadata names none, or one that is not in the list.
    static let fallback = PreTokenizer(
        "default", patterns: #"[\p{P}\$\+<=>\^~\|]+"#, Patterns.gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]")

    package static let all: [PreTokenizer] = [
        fallback,

        // The GPT-2 pattern, alone or after single digits or punctuation.
        PreTokenizer(
            "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
            "modern-bert", "mpt", "olmo", "jais", "exaone4", "jina-v1-en", "jina-v2-code", "roberta-bpe",
            patterns: Patterns.gpt2),
        PreTokenizer("trillion", "granite-docling", patterns: Patterns.gpt2) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2", patterns: #"\p{N}"#, Patterns.gpt2),
        PreTokenizer("command-r", "smollm", patterns: #"\p{N}"#, Patterns.gpt2) { $0.cleansUpSpaces = false },
        PreTokenizer("falcon", patterns: #"[\p{P}\$\+<=>\^~\|`]+"#, Patterns.gpt2, "[0-9][0-9][0-9]"),
        PreTokenizer(
            "chameleon",
            patterns: "<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", #"([\t\n]|    |  )"#, #"\p{N}"#,
            #"[\p{P}!-/:-@\[-`{-~]"#, Patterns.gpt2
        ) {
            $0.addsBOS = true
            $0.cleansUpSpaces = false
        },

        // The cl100k pattern: numbers of up to three digits (Llama 3) or single digits (Qwen 2), and its relatives.
        PreTokenizer(
            "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
            patterns: Patterns.llama3
        ) {
            $0.ignoresMerges = true
            $0.addsBOS = true
        },
        PreTokenizer("dbrx", "smaug-bpe", "chatglm-bpe", patterns: Patterns.llama3),
        PreTokenizer("glm4", "glm5", patterns: Patterns.llama3) { $0.ignoresMerges = true },
        PreTokenizer("minicpm5", patterns: #"\p{N}{1,3}"#, Patterns.contractions + "|" + Patterns.wordsAnd(#"\p{N}+"#))
        {
            $0.ignoresMerges = true
        },
        PreTokenizer(
            "jais-2",
            patterns: Patterns.contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"#
                + #"\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|"#
                + #"\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}"#),
        PreTokenizer("stablelm2", patterns: Patterns.qwen2),
        PreTokenizer(
            "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "hunyuan", "solar-open", "grok-2",
            patterns: Patterns.qwen2
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "qwen35",
            patterns: Patterns.contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"#
                + Patterns.spaces
        ) { $0.cleansUpSpaces = false },
        PreTokenizer("ufakzeka", patterns: Patterns.wordsAnd(#"\p{N}"#)) { $0.cleansUpSpaces = false },
        PreTokenizer("laguna", patterns: Patterns.lines, Patterns.qwen2) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "bailingmoe", "bailingmoe2", "llada-moe",
            patterns: #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"#
                + #"\s*[\r\n]|\s+(?!\S)|\s+"#
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "seed-coder",
            patterns: Patterns.contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+|"#
                + Patterns.spaces
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "exaone-moe",
            patterns: Patterns.contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|"#
                + #" ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#),

        // The o200k pattern, which keeps upper and lower case apart, and its relatives.
        PreTokenizer("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2", patterns: Patterns.gpt4o) {
            $0.cleansUpSpaces = false
        },
        PreTokenizer("granite-embed-multi-97m", patterns: Patterns.gpt4o) {
            $0.cleansUpSpaces = false
            $0.ignoresMerges = true
        },
        PreTokenizer(
            "tiny_aya", "cohere2moe",
            steps: [.digitGroups(#"\d"#, atWordEnd: true), .pattern(Patterns.gpt4o)]
        ) { $0.cleansUpSpaces = false },
        PreTokenizer("tekken", patterns: Patterns.cased(contractions: "", numbers: #"\p{N}"#, tail: #"[\r\n/]*"#)) {
            $0.cleansUpSpaces = false
            $0.ignoresMerges = true
            $0.addsBOS = true
        },
        PreTokenizer(
            "youtu",
            patterns: #"[\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|"#
                + #"[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}\x{3001}-\x{303F}"#
                + #"\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|"# + Patterns.hanAndKana,
            Patterns.cased(contractions: Patterns.contractions + "?", numbers: #"\p{N}"#, tail: #"[\r\n/]*"#)
        ) {
            $0.cleansUpSpaces = false
            $0.ignoresMerges = true
        },
        PreTokenizer(
            "kimi-k2",
            patterns: #"[\p{Han}]+|"#
                + Patterns.cased(
                    contractions: Patterns.contractions + "?", numbers: #"\p{N}{1,3}"#, tail: #"[\r\n]*"#,
                    without: #"&&[^\p{Han}]"#)
        ) { $0.cleansUpSpaces = false },

        // DeepSeek.
        PreTokenizer(
            "deepseek-llm",
            patterns: #"[\r\n]"#, Patterns.deepSeekLetters,
            #"\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+"#, #"\s+$"#,
            Patterns.deepSeekCJK, #"\p{N}+"#
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "deepseek-coder",
            patterns: #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, Patterns.deepSeekCJK, #"\p{N}"#
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4",
            patterns: #"\p{N}{1,3}"#, Patterns.hanAndKana, Patterns.deepSeekWords
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "spark2_5",
            patterns: #"\p{N}{1,3}"#, Patterns.hanAndKana,
            Patterns.asciiPunctuation + #"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|"#
                + #"\s+(?!\S)|\s+"#,
            #"\p{N}"#
        ) { $0.cleansUpSpaces = false },
        PreTokenizer(
            "afmoe",
            steps: [
                .digitGroups(#"\p{N}"#, atWordEnd: false),
                .pattern(
                    #"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{F900}-\x{FAFF}\x{3040}-\x{309F}\x{30A0}-\x{30FF}"#
                        + #"\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF}"#
                        + #"\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+"#),
                .pattern(Patterns.deepSeekWords),
            ]
        ) { $0.cleansUpSpaces = false },

        // Punctuation ends words.
        PreTokenizer("bloom", "gpt3-finnish", patterns: Patterns.bloom),
        PreTokenizer("poro-chat", patterns: Patterns.bloom) { $0.cleansUpSpaces = false },
        PreTokenizer("viking", patterns: Patterns.bloom, #"\p{N}"#) { $0.cleansUpSpaces = false },

        // Words that run across spaces.
        PreTokenizer("superbpe", steps: [.pattern(#"\p{N}+"#), .digitGroupStarts("[0-9]")]) {
            $0.cleansUpSpaces = false
        },
        PreTokenizer("gemma4", "granite-embed-multi-311m", patterns: Patterns.lines) {
            $0.escapesSpaces = true
            $0.keepsNewlines = true
        },
        PreTokenizer("sarvam-moe", patterns: Patterns.lines) {
            $0.escapesSpaces = true
            $0.cleansUpSpaces = false
        },
    ]
}

/// What the published patterns have in common.
private enum Patterns {
    static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
    static let lines = #"[^\n]+|[\n]+"#
    static let llama3 = contractions + "|" + wordsAnd(#"\p{N}{1,3}"#)
    static let qwen2 = contractions + "|" + wordsAnd(#"\p{N}"#)
    static let gpt4o = cased(contractions: contractions + "?", numbers: #"\p{N}{1,3}"#, tail: #"[\r\n/]*"#)
    static let bloom = #" ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+"#
    static let hanAndKana = #"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"#
    static let asciiPunctuation = ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"##
    static let deepSeekCJK = #"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+"#
    static let deepSeekWords =
        asciiPunctuation + #"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"# + spaces

    static func wordsAnd(_ numbers: String) -> String {
        #"[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + spaces
    }

    static func cased(contractions: String, numbers: String, tail: String, without: String = "") -> String {
        let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"# + without + "]"
        let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}"# + without + "]"
        let prefix = #"[^\r\n\p{L}\p{N}]?"#
        return prefix + upper + "*" + lower + "+" + contractions + "|"
            + prefix + upper + "+" + lower + "*" + contractions + "|"
            + numbers + #"| ?[^\s\p{L}\p{N}]+"# + tail + "|" + spaces
    }

    /// Letters of the bicameral scripts, as the model's tokenizer lists them.
    static let deepSeekLetters =
        #"\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}"#
        + #"\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}"#
        + #"\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}"#
        + #"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}"#
        + #"\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}"#
        + #"\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}"#
        + #"\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}"#
        + #"\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}"#
        + #"\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}"#
        + #"\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}"#
        + #"\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}"#
        + #"\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}"#
        + #"\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}"#
        + #"\x{1E900}-\x{1E943}]+"#
}
