package import CoreMetrics
internal import Synchronization

/// A metrics backend that shows its metrics in Prometheus' text format.
///
/// A metric appears with its first value. Asked for the same label and dimensions, it hands out the same metric.
package final class PrometheusRegistry: MetricsFactory {
    /// What is known of a metric beside its values.
    package struct Description: Sendable {
        package enum Shape: Sendable {
            case counter
            case gauge
            /// With the upper bounds of its buckets, ascending, without infinity.
            case histogram([Double])
            /// With the quantiles of the last values.
            case summary
        }

        package let name: String
        package let shape: Shape
        package let help: String

        package init(_ name: String, _ shape: Shape, _ help: String) {
            self.name = name
            self.shape = shape
            self.help = help
        }
    }

    private struct Family {
        let description: Description
        var series: [(labels: String, series: any PrometheusSeries)] = []
    }

    private struct State {
        var families: [Family] = []
        /// Place of each family by name.
        var places: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let defaultBuckets: [Double]

    /// - Parameters:
    ///   - descriptions: Metrics that are known beforehand; others get the shape of the API that made them.
    ///   - defaultBuckets: For histograms that are not.
    package init(_ descriptions: [Description], defaultBuckets: [Double]) {
        self.defaultBuckets = defaultBuckets
        state.withLock { state in
            for description in descriptions { _ = Self.place(of: description, in: &state) }
        }
    }

    private static func place(of description: Description, in state: inout State) -> Int {
        if let place = state.places[description.name] { return place }
        state.places[description.name] = state.families.count
        state.families.append(Family(description: description))
        return state.families.count - 1
    }

    /// The series of a label and dimensions, made where it is new.
    private func series(
        _ label: String, _ dimensions: [(String, String)], _ shape: Description.Shape
    ) -> any PrometheusSeries {
        let name = PrometheusText.metricName(label)
        let labels = PrometheusText.labels(dimensions)
        return state.withLock { state in
            let place = Self.place(of: Description(name, shape, ""), in: &state)
            if let known = state.families[place].series.first(where: { $0.labels == labels }) { return known.series }
            let description = state.families[place].description
            let series: any PrometheusSeries =
                switch description.shape {
                case .counter, .gauge: PrometheusValue()
                case .histogram(let bounds): PrometheusHistogram(bounds: bounds)
                case .summary: PrometheusSummary()
                }
            state.families[place].series.append((labels, series))
            return series
        }
    }

    /// All metrics that have a value, in Prometheus' text format, version 0.0.4.
    package var text: String {
        let families = state.withLock { $0.families }
        var text = ""
        for family in families {
            var lines = ""
            for (labels, series) in family.series { series.write(family.description.name, labels, to: &lines) }
            guard !lines.isEmpty else { continue }
            let name = family.description.name
            if !family.description.help.isEmpty {
                text += "# HELP \(name) \(PrometheusText.help(family.description.help))\n"
            }
            text += "# TYPE \(name) \(family.description.shape.keyword)\n\(lines)"
        }
        return text
    }
}

extension PrometheusRegistry {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        PrometheusHandler(series(label, dimensions, .counter))
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        PrometheusHandler(series(label, dimensions, .counter))
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        PrometheusHandler(series(label, dimensions, .gauge))
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        PrometheusHandler(series(label, dimensions, aggregate ? .histogram(defaultBuckets) : .gauge))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        PrometheusHandler(series(label, dimensions, .histogram(defaultBuckets)))
    }

    // Metrics live as long as the server.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

extension PrometheusRegistry.Description.Shape {
    fileprivate var keyword: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        case .summary: "summary"
        }
    }
}

/// What the metrics API holds on to: it passes values on to a series.
private final class PrometheusHandler: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler,
    TimerHandler
{
    private let series: any PrometheusSeries

    init(_ series: any PrometheusSeries) { self.series = series }

    func increment(by amount: Int64) { series.add(Double(amount)) }
    func increment(by amount: Double) { series.add(amount) }
    func decrement(by amount: Double) { series.add(-amount) }
    func reset() { series.take(0) }
    func set(_ value: Int64) { series.take(Double(value)) }
    func set(_ value: Double) { series.take(value) }
    func record(_ value: Int64) { series.take(Double(value)) }
    func record(_ value: Double) { series.take(value) }
    func recordNanoseconds(_ duration: Int64) { series.take(Double(duration) * 1e-9) }
}
