import Foundation
import Quant
import TestSupport
import Testing

@Suite struct EncodeTests {
    private static let encodable = Format.all.filter(\.isEncodable)
    /// Formats that the `gguf` package encodes too.
    private static let referenced: [Format] = [
        .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .tq1_0, .tq2_0, .mxfp4,
    ]

    @Test("The same bytes as the Python package", arguments: referenced)
    func python(_ format: Format) throws {
        let values = Weights.mixed(blocks: 2000)
        let input = unsafe values.withUnsafeBytes { unsafe Data($0) }
        guard let expected = try Python.reference("quantize", format, input) else { return }
        #expect(try format.encoded(values) == Array(expected))
    }

    /// Root mean square of the error over that of the values, of llama.cpp's quantizer (without an importance matrix)
    /// on the weights of ``Weights/normal(blocks:)``.
    private static let peerError: [Format: Float] = [
        .f16: 0.000207, .bf16: 0.001659, .q4_0: 0.084270, .q4_1: 0.077422, .q5_0: 0.041853, .q5_1: 0.037477,
        .q8_0: 0.005242, .q2_k: 0.293833, .q3_k: 0.148953, .q4_k: 0.070501, .q5_k: 0.035663, .q6_k: 0.017466,
        .iq4_nl: 0.075304, .iq4_xs: 0.075878, .tq1_0: 0.794400, .tq2_0: 0.794400, .mxfp4: 0.112992, .nvfp4: 0.103444,
    ]

    @Test("At least the accuracy of llama.cpp", arguments: peerError.keys.sorted { $0.id < $1.id })
    func accuracy(_ format: Format) throws {
        let values = Weights.normal(blocks: 1000)
        let decoded = format.decoded(try format.encoded(values))
        let error = zip(values, decoded).reduce(Double(0)) { $0 + pow(Double($1.0 - $1.1), 2) }
        let energy = values.reduce(Double(0)) { $0 + pow(Double($1), 2) }
        let relative = Float((error / energy).squareRoot())
        #expect(relative <= Self.peerError[format]! * 1.001)
    }

    @Test("Each weight is within the step of its group", arguments: quantized.filter(\.isEncodable))
    func bounded(_ format: Format) throws {
        // A block of one value repeated, one spike in zeros, and a ramp: no search may lose them.
        let length = 256
        let shapes: [[Float]] = [
            Array(repeating: 0.5, count: length),
            (0..<length).map { $0 == 77 ? -3 : 0 },
            (0..<length).map { Float($0 % 32) / 31 - 0.5 },
        ]
        for values in shapes {
            let decoded = format.decoded(try format.encoded(values))
            let largest = values.map { abs($0) }.max()!
            for (value, result) in zip(values, decoded) {
                #expect(abs(value - result) <= largest * format.coarseness)
            }
        }
    }

    @Test("Zeros and the smallest numbers give finite blocks", arguments: encodable)
    func tiny(_ format: Format) throws {
        for magnitude: Float in [0, -0.0, .leastNonzeroMagnitude, 0x1p-140, 1e-38, 1e-30, 1e-20, 1e-10] {
            let values = (0..<512).map { Float($0 % 7 - 3) * magnitude }
            let decoded = format.decoded(try format.encoded(values))
            #expect(decoded.allSatisfy { abs($0) <= max(6 * magnitude, 1e-6) })
        }
    }

    @Test("Values that are not finite are refused", arguments: encodable)
    func nonFinite(_ format: Format) {
        for bad: Float in [.nan, .infinity, -.infinity] {
            var values = [Float](repeating: 1, count: 1024)
            values[700] = bad
            #expect(throws: QuantError.nonFinite(index: 700)) { try format.encoded(values) }
        }
    }

    @Test("Values beyond the format give an error or a finite block", arguments: encodable)
    func huge(_ format: Format) {
        for magnitude: Float in [1e5, 1e9, 1e20, 1e30, .greatestFiniteMagnitude] {
            let values = (0..<512).map { Float($0 % 7 - 3) / 3 * magnitude }
            do {
                let bytes = try format.encoded(values)
                #expect(format.firstNonFiniteBlock(bytes) == nil)
            } catch {
                guard case .outOfRange(format, _) = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test func formatsWithoutEncoder() {
        for name in ["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "I8", "F64"] {
            let format = Format.named(name)!
            #expect(!format.isEncodable)
            #expect(throws: QuantError.notEncodable(format)) { try format.encoded([Float](repeating: 0, count: 256)) }
        }
    }

    @Test(
        "What a format can say exactly it says exactly",
        arguments: [Format.tq1_0, .tq2_0, .q2_0, .q1_0, .mxfp4, .f32])
    func exact(_ format: Format) throws {
        let digits: [Float] = format == .q1_0 ? [-1, 1] : format == .mxfp4 ? [-6, -1.5, 0, 0.5, 4] : [-1, 0, 1]
        var generator = SplitMix64(state: 9)
        let values = (0..<512).map { _ in digits.randomElement(using: &generator)! * 0.125 }
        #expect(format.decoded(try format.encoded(values)) == values)
    }
}

/// Weights to encode, the same on every run.
enum Weights {
    /// Normally distributed, deviation 0.02.
    static func normal(blocks: Int) -> [Float] {
        var generator = SplitMix64(state: 11)
        return (0..<blocks * 256).map { _ in generator.normal() * 0.02 }
    }

    /// Blocks of all magnitudes, among them some of one sign, of zeros and with a spike.
    static func mixed(blocks: Int) -> [Float] {
        var generator = SplitMix64(state: 12)
        return (0..<blocks).flatMap { block in
            let scale = Float.random(in: 1e-3...10, using: &generator)
            return (0..<256).map { i in
                let value = generator.normal() * scale
                return switch block % 8 {
                case 1: abs(value)
                case 2: -abs(value) - 1
                case 3: i / 32 == 3 ? 0 : value
                case 4: i == 100 ? 50 * scale : value
                default: value
                }
            }
        }
    }
}

extension Format {
    func encoded(_ values: [Float]) throws(QuantError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: byteCount(of: values.count)!)
        var span = bytes.mutableSpan
        try encode(values.span, into: &span)
        return bytes
    }

    /// Bound of the error over the largest magnitude of a block: about the largest gap between two codes.
    fileprivate var coarseness: Float {
        switch name {
        case "Q1_0", "TQ1_0", "TQ2_0", "Q2_0": 1
        case "Q2_K": 0.4
        case "Q3_K": 0.3
        case "MXFP4", "NVFP4": 0.25
        default: 0.13
        }
    }
}
