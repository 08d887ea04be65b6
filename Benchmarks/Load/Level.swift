import Dispatch
import JSON
import Synchronization

/// All that a number of clients at the same time measured.
struct Level: Sendable {
    let clients: Int
    let wall: Duration
    let samples: [Sample]

    /// Runs `clients` threads, each of which calls `work` with its number until it has nothing left.
    static func run(clients: Int, requests: Int, _ work: @escaping @Sendable (_ client: Int, _ request: Int) -> Sample)
        -> Level
    {
        let samples = Mutex<[Sample]>([])
        let start = ContinuousClock.now
        DispatchQueue.runThreads(clients) { client in
            for request in 0..<requests {
                let sample = work(client, request)
                samples.withLock { $0.append(sample) }
            }
        }
        return Level(clients: clients, wall: ContinuousClock.now - start, samples: samples.withLock { $0 })
    }

    private var succeeded: [Sample] { samples.filter { $0.failure == nil && !$0.didHangUp } }
    var failures: [String] { samples.compactMap(\.failure) }
    var tokensPerSecond: Double { Double(samples.reduce(0) { $0 + $1.count }) / (wall / .seconds(1)) }
    /// Seconds to the first token of each request.
    var firstTokens: Quantiles { Quantiles(succeeded.compactMap { $0.tokens.first.map { $0 / .seconds(1) } }) }
    /// Seconds between tokens, over all requests.
    var gaps: Quantiles {
        Quantiles(
            succeeded.flatMap { sample in zip(sample.tokens, sample.tokens.dropFirst()).map { ($1 - $0) / .seconds(1) }
            })
    }

    var json: JSON {
        let (first, gaps) = (firstTokens, gaps)
        return [
            "clients": JSON(clients), "requests": JSON(samples.count), "errors": JSON(failures.count),
            "hung_up": JSON(samples.count { $0.didHangUp }), "seconds": JSON(wall / .seconds(1)),
            "tokens_per_second": JSON(tokensPerSecond), "first_token_mean": JSON(first.mean),
            "first_token_p50": JSON(first[0.5]), "first_token_max": JSON(first[1]), "gap_p50": JSON(gaps[0.5]),
            "gap_p95": JSON(gaps[0.95]), "gap_p99": JSON(gaps[0.99]),
        ]
    }
}

/// Order statistics of some measurements; zero where there are none.
struct Quantiles {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var mean: Double { sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count) }

    subscript(share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }
}

extension DispatchQueue {
    /// Calls `body` on `count` threads at the same time and returns when all have.
    fileprivate static func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for index in 0..<count {
            // A queue of its own that blocks gets a thread of its own; no limit of a shared pool stands in the way below 512.
            DispatchQueue(label: "client \(index)").async(group: group) { body(index) }
        }
        group.wait()
    }
}
