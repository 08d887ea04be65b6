internal import Synchronization

/// The values of one metric under one set of labels.
protocol PrometheusSeries: Sendable {
    func add(_ amount: Double)
    /// Takes a value: the new one of a gauge, one more of a distribution.
    func take(_ value: Double)
    /// Appends the lines; nothing where there is no value yet.
    func write(_ name: String, _ labels: String, to text: inout String)
}

/// A counter or a gauge.
final class PrometheusValue: PrometheusSeries {
    private let value = Mutex<Double?>(nil)

    func add(_ amount: Double) { value.withLock { $0 = ($0 ?? 0) + amount } }
    func take(_ new: Double) { value.withLock { $0 = new } }

    func write(_ name: String, _ labels: String, to text: inout String) {
        guard let value = value.withLock({ $0 }) else { return }
        text += "\(name)\(PrometheusText.braced(labels)) \(PrometheusText.number(value))\n"
    }
}

final class PrometheusHistogram: PrometheusSeries {
    private struct State {
        /// Values of each bucket alone; the last holds those above all bounds.
        var counts: [UInt64]
        var sum = 0.0
        var count: UInt64 = 0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    func add(_ amount: Double) { take(amount) }

    func take(_ value: Double) {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        state.withLock { state in
            state.counts[low] += 1
            state.sum += value
            state.count += 1
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        guard state.count > 0 else { return }
        var cumulated: UInt64 = 0
        for (bound, count) in zip(bounds, state.counts) {
            cumulated += count
            text += "\(name)_bucket\(PrometheusText.braced(labels, "le", PrometheusText.number(bound))) \(cumulated)\n"
        }
        text += "\(name)_bucket\(PrometheusText.braced(labels, "le", "+Inf")) \(state.count)\n"
        text += "\(name)_sum\(PrometheusText.braced(labels)) \(PrometheusText.number(state.sum))\n"
        text += "\(name)_count\(PrometheusText.braced(labels)) \(state.count)\n"
    }
}

/// Quantiles of the last values, sum and count of all.
final class PrometheusSummary: PrometheusSeries {
    private struct State {
        var window: [Double] = []
        var next = 0
        var sum = 0.0
        var count: UInt64 = 0
    }

    private static let windowSize = 1024
    private static let quantiles: [Double] = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

    private let state = Mutex(State())

    func add(_ amount: Double) { take(amount) }

    func take(_ value: Double) {
        state.withLock { state in
            if state.window.count < Self.windowSize {
                state.window.append(value)
            } else {
                state.window[state.next] = value
                state.next = (state.next + 1) % Self.windowSize
            }
            state.sum += value
            state.count += 1
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        guard state.count > 0 else { return }
        let sorted = state.window.sorted()
        for quantile in Self.quantiles {
            let value = sorted[min(sorted.count - 1, Int(quantile * Double(sorted.count)))]
            let braces = PrometheusText.braced(labels, "quantile", PrometheusText.number(quantile))
            text += "\(name)\(braces) \(PrometheusText.number(value))\n"
        }
        text += "\(name)_sum\(PrometheusText.braced(labels)) \(PrometheusText.number(state.sum))\n"
        text += "\(name)_count\(PrometheusText.braced(labels)) \(state.count)\n"
    }
}

/// How Prometheus' text format writes names, labels and numbers.
enum PrometheusText {
    /// A name of the metrics API as a metric name: what is not allowed in one becomes `_`.
    static func metricName(_ label: String) -> String {
        String(
            label.unicodeScalars.map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                    || scalar == "_" || scalar == ":" ? Character(scalar) : "_"
            })
    }

    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\(metricName($0))=\"\(escaped($1))\"" }.joined(separator: ",")
    }

    static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    static func braced(_ labels: String, _ name: String, _ value: String) -> String {
        "{\(labels)\(labels.isEmpty ? "" : ",")\(name)=\"\(value)\"}"
    }

    /// Whole numbers without a point.
    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }

    static func help(_ text: String) -> String { text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n") }

    private static func escaped(_ value: String) -> String { help(value).replacing("\"", with: "\\\"") }
}
