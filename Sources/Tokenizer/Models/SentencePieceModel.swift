/// SentencePiece's byte-pair model: characters merge by the score of what they become; what is no token is spelled in bytes.
struct SentencePieceModel: TokenModel {
    private let encoder: MergeEncoder
    private let rule: ScoreRule
    private let borders: TokenBorders
    private let addsSpacePrefix: Bool

    init(_ vocabulary: Vocabulary, unknown: TokenID?, addsSpacePrefix: Bool) {
        encoder = MergeEncoder(
            vocabulary: vocabulary, symbols: .characters, byteTokens: vocabulary.byteTokens(), unknown: unknown)
        rule = ScoreRule(vocabulary: vocabulary)
        borders = TokenBorders(vocabulary)
        self.addsSpacePrefix = addsSpacePrefix
    }

    func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout [TokenID]) {
        let escaped = EscapedSpace.escape(text, prefix: addsSpacePrefix && isFirst)
        let span = escaped.span
        var scratch = MergeEncoder.Scratch()
        borders.forEachPiece(span, 0..<span.count) { piece in
            encoder.encode(span.extracting(piece), rule, &scratch, into: &output)
        }
    }
}
