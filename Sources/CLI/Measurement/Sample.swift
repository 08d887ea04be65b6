/// Repeated measurements of one rate.
struct Sample {
    let values: [Double]

    var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// Of a sample: over one less than the count. Zero for a single value.
    var standardDeviation: Double {
        guard values.count > 1 else { return 0 }
        let mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}
