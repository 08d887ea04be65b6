internal import Compute
internal import GGUF
internal import Quant

/// The tensors of a GGUF file as a backend loads them.
struct FileWeights: WeightSource {
    private let file: GGUFFile

    init(_ file: GGUFFile) { self.file = file }

    var names: [String] { file.tensors.map(\.name) }

    func format(of name: String) -> Format? { file.tensor(name)?.format }

    func read(_ name: String) throws(BackendError) -> WeightBytes {
        guard let tensor = file.tensor(name) else { throw .weights("tensor '\(name)' is missing") }
        do {
            let data = try file.read(tensor)
            return unsafe WeightBytes(
                base: data.base, count: data.count, owner: data, isMapped: data.isMapped,
                discard: { data.discard($0) }, evict: { data.evict($0) })
        } catch {
            throw .source("\(error)")
        }
    }
}

/// The tensors of a GGUF file as a program is drawn from them.
struct FileCatalog: TensorCatalog {
    private let file: GGUFFile

    init(_ file: GGUFFile) { self.file = file }

    func dimensions(of name: String) -> [Int]? { file.tensor(name)?.dimensions }

    func constants(_ name: String) -> [Float]? {
        guard let tensor = file.tensor(name), tensor.format == .f32, let data = try? file.read(tensor) else {
            return nil
        }
        return (0..<data.count / 4).map {
            unsafe data.base.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)
        }
    }
}
