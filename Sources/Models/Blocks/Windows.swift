/// Sliding windows by layer, as `attention.sliding_window` and `attention.sliding_window_pattern` describe them.
extension Hyperparameters {
    /// Tokens that each layer looks back, itself included; `nil` for all.
    ///
    /// - Parameters:
    ///   - window: Where the file does not say.
    ///   - period: In a run of this many layers the last sees everything, the others the window; one where all have the window.
    ///     The file's pattern, a period or a flag per layer, comes first.
    func windows(layers: Int, window: Int? = nil, period: Int) throws(ModelError) -> [Int?] {
        let length = try int("attention.sliding_window") ?? window ?? 0
        guard length <= Int(Int32.max) else {
            throw invalid("attention.sliding_window", "is \(length), more than \(Int32.max)")
        }
        guard length > 0 else { return Array(repeating: nil, count: layers) }
        if let flags = try windowFlags(layers) { return flags.map { $0 ? length : nil } }
        let period = try optionalCount("attention.sliding_window_pattern") ?? period
        return (0..<layers).map { period == 1 || $0 % period < period - 1 ? length : nil }
    }

    private func windowFlags(_ layers: Int) throws(ModelError) -> [Bool]? {
        let key = "attention.sliding_window_pattern"
        guard isArray(key) else { return nil }
        guard let flags = try flags(key), flags.count >= layers else {
            throw invalid(key, "has no flag for each of \(layers) layers")
        }
        return Array(flags.prefix(layers))
    }
}
