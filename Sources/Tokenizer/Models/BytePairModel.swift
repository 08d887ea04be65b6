import GGUF

/// Byte-pair encoding: words by the vocabulary's pre-tokenizer, merged in the order of `tokenizer.ggml.merges`.
struct BytePairModel: TokenModel {
    private let splitter: WordSplitter
    private let encoder: MergeEncoder
    private let merges: MergeTable
    /// Set where spaces are escaped.
    private let borders: TokenBorders?

    init(_ metadata: Metadata, _ vocabulary: Vocabulary, _ preTokenizer: PreTokenizer) throws(TokenizerError) {
        splitter = WordSplitter(preTokenizer)
        merges = try MergeTable(metadata, vocabulary)
        if preTokenizer.escapesSpaces {
            encoder = MergeEncoder(
                vocabulary: vocabulary, symbols: .characters, byteTokens: vocabulary.byteTokens(), unknown: nil,
                looksUpWords: preTokenizer.ignoresMerges, looksUpNewlines: preTokenizer.keepsNewlines)
            borders = TokenBorders(vocabulary)
        } else {
            let bytes = (0..<256).map { vocabulary.id(ofKey: [UInt8($0)].span) ?? -1 }
            encoder = MergeEncoder(
                vocabulary: vocabulary, symbols: .bytes, byteTokens: bytes, unknown: nil,
                looksUpWords: preTokenizer.ignoresMerges)
            borders = nil
        }
    }

    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID]) {
        var scratch = MergeEncoder.Scratch()
        guard let borders else {
            forEachWord(text) { word in
                encoder.encode(text.extracting(word), merges, &scratch, into: &output)
            }
            return
        }
        let escaped = EscapedSpace.escape(text, prefix: false)
        let span = escaped.span
        forEachWord(span) { word in
            borders.forEachPiece(span, word) { piece in
                encoder.encode(span.extracting(piece), merges, &scratch, into: &output)
            }
        }
    }

    @inline(__always)
    private func forEachWord(_ text: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        var scratch = WordSplitter.Scratch()
        splitter.split(text, &scratch)
        var start = 0
        for end in scratch.ends {
            body(start..<end)
            start = end
        }
    }
}
