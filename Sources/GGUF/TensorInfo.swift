package import Quant

/// One entry of the tensor directory.
package struct TensorInfo: Hashable, Sendable {
    package let name: String
    /// One to four extents, the fastest first; each at least one.
    package let dimensions: [Int]
    package let format: Format
    package let byteCount: Int
    /// Index of the file, zero where the model is not split.
    package let shard: Int
    /// Byte offset in that file, after decompression where it is compressed.
    package let offset: Int

    package init(name: String, dimensions: [Int], format: Format, byteCount: Int, shard: Int = 0, offset: Int) {
        self.name = name
        self.dimensions = dimensions
        self.format = format
        self.byteCount = byteCount
        self.shard = shard
        self.offset = offset
    }

    package var elementCount: Int { dimensions.reduce(1, *) }
    var range: Range<Int> { offset..<offset + byteCount }
}

extension TensorInfo {
    /// Extents that a tensor can have.
    static let maximumDimensions = 4

    /// Bytes of a tensor, or what is wrong with its shape.
    static func byteCount(_ dimensions: [Int], _ format: Format) -> Result<Int, ShapeProblem> {
        guard (1...maximumDimensions).contains(dimensions.count) else {
            return .failure(ShapeProblem("has \(dimensions.count) dimensions, not 1 to \(maximumDimensions)"))
        }
        var elements = 1
        for (axis, extent) in dimensions.enumerated() {
            guard extent > 0 else { return .failure(ShapeProblem("dimension \(axis) is \(extent)")) }
            let (product, overflow) = elements.multipliedReportingOverflow(by: extent)
            guard !overflow else { return .failure(ShapeProblem("the product of dimensions \(dimensions) overflows")) }
            elements = product
        }
        guard dimensions[0].isMultiple(of: format.blockLength) else {
            return .failure(
                ShapeProblem(
                    "rows of \(dimensions[0]) are no multiple of the \(format.blockLength) of a \(format) block"))
        }
        guard let bytes = format.byteCount(of: elements) else {
            return .failure(ShapeProblem("the size of \(dimensions) in \(format) overflows"))
        }
        return .success(bytes)
    }

    struct ShapeProblem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }
}
