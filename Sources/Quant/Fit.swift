internal import CFormats

/// Candidate step sizes of a scale search: those at which the largest code would be `top + first + i * step`.
struct Candidates: Sendable {
    let first: Float
    let step: Float
    let count: Int

    fileprivate var inC: fit_candidates {
        fit_candidates(first: first, step: step, count: Int32(count))
    }
}

/// Searches for group scales and codes. See `fit.h`.
enum Fit {
    /// Scale and minimum that approximate `x` by `scale * code - minimum` with codes in `0...top`.
    static func affine(
        _ x: Span<Float>, weights: Span<Float>, top: Int, _ candidates: Candidates
    ) -> (scale: Float, minimum: Float) {
        var minimum: Float = 0
        let scale = unsafe x.withUnsafeBufferPointer { x in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe fit_affine(
                    x.baseAddress, weights.baseAddress, Int32(x.count), Int32(top), candidates.inC, &minimum)
            }
        }
        return (scale, minimum)
    }

    /// Scale that approximates `x` by `scale * code` with codes in `-top..<top`.
    static func symmetric(_ x: Span<Float>, weights: Span<Float>, top: Int, _ candidates: Candidates) -> Float {
        unsafe x.withUnsafeBufferPointer { x in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe fit_symmetric(x.baseAddress, weights.baseAddress, Int32(x.count), Int32(top), candidates.inC)
            }
        }
    }

    /// Scale that approximates `x` by `scale * values[code]`.
    static func values(
        _ x: Span<Float>, weights: Span<Float>, _ values: [Float], _ candidates: Candidates
    ) -> Float {
        unsafe x.withUnsafeBufferPointer { x in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe fit_values(x.baseAddress, weights.baseAddress, Int32(x.count), values, candidates.inC)
            }
        }
    }

    /// Weighted squared error of the codes in `range` nearest to `(x + minimum) / scale`. The scale is not zero.
    static func error(
        _ x: Span<Float>, weights: Span<Float>, scale: Float, minimum: Float = 0, in range: ClosedRange<Int>
    ) -> Float {
        unsafe x.withUnsafeBufferPointer { x in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe fit_error(
                    x.baseAddress, weights.baseAddress, Int32(x.count), scale, minimum, Int32(range.lowerBound),
                    Int32(range.upperBound))
            }
        }
    }

    /// Codes of the 16 ascending values nearest to `x / scale`.
    static func nearest(_ x: Span<Float>, _ values: [Float], scale: Float, into codes: inout MutableSpan<UInt8>) {
        let inverse = inverse(of: scale)
        unsafe x.withUnsafeBufferPointer { x in
            unsafe codes.withUnsafeMutableBufferPointer { codes in
                unsafe fit_nearest(x.baseAddress, Int32(x.count), values, inverse, codes.baseAddress)
            }
        }
    }

    /// Codes in `range` nearest to `(x + minimum) / scale`, stored less the lower bound.
    static func codes(
        _ x: Span<Float>, scale: Float, minimum: Float = 0, in range: ClosedRange<Int>,
        into codes: inout MutableSpan<UInt8>
    ) {
        unsafe x.withUnsafeBufferPointer { x in
            unsafe codes.withUnsafeMutableBufferPointer { codes in
                unsafe fit_codes(
                    x.baseAddress, Int32(x.count), scale, minimum, Int32(range.lowerBound), Int32(range.upperBound),
                    codes.baseAddress)
            }
        }
    }
}

extension Fit {
    /// The first value of largest magnitude.
    static func extreme(_ x: Span<Float>) -> Float {
        unsafe x.withUnsafeBufferPointer { unsafe fit_extreme($0.baseAddress, Int32($0.count)) }
    }

    /// Codes in `0...top`: the integer part of `(x - low) * scale + bias`.
    static func truncated<let count: Int>(
        _ x: Span<Float>, low: Float = 0, scale: Float, bias: Float, top: Int
    ) -> InlineArray<count, UInt8> {
        precondition(x.count == count)
        var codes = InlineArray<count, UInt8>(repeating: 0)
        var span = codes.mutableSpan
        unsafe x.withUnsafeBufferPointer { x in
            unsafe span.withUnsafeMutableBufferPointer { codes in
                unsafe fit_truncated(
                    x.baseAddress, Int32(x.count), low, scale, bias, Int32(top), codes.baseAddress)
            }
        }
        return codes
    }

    /// Codes in `-top...top` nearest to `x * scale`, halves away from zero.
    static func awayFromZero<let count: Int>(
        _ x: Span<Float>, scale: Float, top: Int
    ) -> InlineArray<count, Int8> {
        precondition(x.count == count)
        var codes = InlineArray<count, Int8>(repeating: 0)
        var span = codes.mutableSpan
        unsafe x.withUnsafeBufferPointer { x in
            unsafe span.withUnsafeMutableBufferPointer { codes in
                unsafe fit_away_from_zero(x.baseAddress, Int32(x.count), scale, Int32(top), codes.baseAddress)
            }
        }
        return codes
    }
}

/// What the squared error of each of some values counts: its magnitude and the root mean square of its group. Large
/// weights count more, small ones not little.
func errorWeights<let count: Int>(_ values: Span<Float>, group: Int) -> InlineArray<count, Float> {
    var weights = InlineArray<count, Float>(repeating: 0)
    for start in stride(from: 0, to: count, by: group) {
        var squares: Float = 0
        for i in start..<start + group { squares += values[i] * values[i] }
        let base = (squares / Float(group)).squareRoot()
        for i in start..<start + group { weights[i] = base + abs(values[i]) }
    }
    return weights
}

/// The integer part of a number, within a range; the lower bound for NaN.
func truncated(_ x: Float, in range: ClosedRange<Int>) -> Int {
    guard x > Float(range.lowerBound) else { return range.lowerBound }
    return x < Float(range.upperBound) ? Int(x) : range.upperBound
}

/// The nearest integer, halves to the even one, within a range; the lower bound for NaN.
func rounded(_ x: Float, in range: ClosedRange<Int>) -> Int {
    truncated(x.rounded(.toNearestOrEven), in: range)
}

/// The inverse of a step size, or 0 for steps so small that they have none: their weights become zero.
func inverse(of step: Float) -> Float {
    let inverse = 1 / step
    return inverse.isFinite ? inverse : 0
}
