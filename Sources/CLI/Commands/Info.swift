import ArgumentParser
import Engine
import GGUF
import JSON
import Models
import Quant

/// What a file holds and what running it would take.
struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show a model's metadata, tensor types and memory plan.",
        discussion: """
            Examples:
              tgi-run info -m model.gguf
              tgi-run info -m model.gguf --tensors
              tgi-run info -m model.gguf -c 32768 --kv-type q8_0      what would this context cost?
            """
    )

    @OptionGroup var model: ModelOptions

    @Flag(help: "Print one JSON object; nothing is abbreviated.")
    var json = false

    @Flag(help: "List every tensor with its shape, type and size.")
    var tensors = false

    func run() throws {
        let file = try GGUFFile.open(model.file.path)
        // What is no language model that this program runs, such as a vocabulary alone, can still be shown.
        let plan: Result<MemoryPlan, ModelError>
        switch Result(catching: { () throws(ModelError) in try Model(file) }) {
        case .success(let model): plan = .success(try memoryPlan(model))
        case .failure(let error): plan = .failure(error)
        }
        try StandardOutput.write(json ? jsonText(file, plan) : text(file, plan))
    }

    private func memoryPlan(_ parsed: Model) throws -> MemoryPlan {
        let context = try model.contextLength(parsed, memory: System.availableMemory)
        return try MemoryPlan(parsed, .init(contextLength: context, kvFormat: model.kvType.format))
    }

    private func text(_ file: GGUFFile, _ plan: Result<MemoryPlan, ModelError>) -> String {
        let summary = TypeSummary(file)
        var result = "\(file.path): GGUF version \(file.version), \(bytes(file.byteCount)), "
        result += "\(file.tensors.count) tensors\n"
        if let name = architecture(file) {
            result += "\(name): \(Architectures.models(of: name) ?? "not supported")\n"
        }
        result += "\n"
        let keyWidth = file.metadata.entries.map(\.key.count).max() ?? 0
        for (key, value) in file.metadata.entries {
            result += "\(key.padded(to: keyWidth))  \(value.typeName.padded(to: 12))  \(value.abbreviated())\n"
        }
        if !summary.entries.isEmpty { result += "\n" + summary.table }
        if tensors { result += "\n" + tensorTable(file) }
        switch plan {
        case .success(let plan): result += "\nMemory: \(plan.text)\n"
        case .failure(let error): result += "\nMemory: no plan: \(error)\n"
        }
        return result
    }

    private func architecture(_ file: GGUFFile) -> String? {
        guard case .string(let name)? = file.metadata["general.architecture"] else { return nil }
        return name
    }

    private func tensorTable(_ file: GGUFFile) -> String {
        var table = Table([("tensor", .left), ("shape", .left), ("type", .left), ("size", .right)])
        for tensor in file.tensors {
            let shape = tensor.dimensions.map(String.init).joined(separator: " x ")
            table.add([tensor.name, shape, tensor.format.name, bytes(tensor.byteCount)])
        }
        return table.rendered
    }

    private func jsonText(_ file: GGUFFile, _ plan: Result<MemoryPlan, ModelError>) -> String {
        var object = JSONObject()
        object["path"] = .string(file.path)
        object["version"] = JSON(file.version)
        object["bytes"] = JSON(file.byteCount)
        object["architecture"] = file.metadata["general.architecture"]?.json ?? .null
        object["models"] = architecture(file).flatMap(Architectures.models(of:)).map { .string($0) } ?? .null
        object["metadata"] = file.metadata.json
        object["types"] = TypeSummary(file).json
        if tensors {
            object["tensors"] = .array(
                file.tensors.map { tensor in
                    [
                        "name": .string(tensor.name), "shape": .array(tensor.dimensions.map { JSON($0) }),
                        "type": .string(tensor.format.name), "bytes": JSON(tensor.byteCount),
                        "shard": JSON(tensor.shard), "offset": JSON(tensor.offset),
                    ]
                })
        }
        switch plan {
        case .success(let plan): object["memory"] = plan.json
        case .failure(let error): object["memory"] = ["error": .string("\(error)")]
        }
        return JSON.object(object).text() + "\n"
    }
}
