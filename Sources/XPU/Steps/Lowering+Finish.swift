internal import Compute

/// What the last work-groups of a product of one row do besides (kernels/finish.h): the operation that follows it, which needs no
/// launch of its own then. Its bits are those of its launch.
struct Finish {
    /// As kernels/finish.h numbers them.
    private enum Kind {
        static let none = 0
        static let rms = 1
        static let layer = 2
        static let gate = 3
    }

    /// What is prepared, and where.
    let held: PreparedValue?
    let codes: PreparedRows?
    let arguments: [Argument]
    /// Local memory that it needs.
    let localBytes: Int

    static var none: [Argument] {
        [.int(Kind.none), .write(nil), .constant(nil), .constant(nil), .float(0), .write(nil)]
            + Lowering.nothingPrepared + [.int(1)]
    }

    /// - Parameter activation: Its number.
    init(gates activation: Int, columns: Int, held: PreparedValue?, _ memory: StepMemory) {
        self.held = held
        codes = memory.finished
        arguments =
            [
                .int(Kind.gate + activation), .write(memory.arrivals), .constant(nil), .constant(nil), .float(0),
                .write(nil),
            ] + memory.finished.written + [.int(Lowering.sharing(columns))]
        localBytes = 2 * columns * 4
    }

    /// - Parameters:
    ///   - width: Of the row.
    ///   - floats: Where it goes as floats.
    init(
        _ norm: Op.Norm, width: Int, weight: Argument, bias: Argument, floats: Slice?, columns: Int?,
        _ memory: StepMemory
    ) {
        held = columns.map { PreparedValue(value: norm.output, columns: $0) }
        codes = columns.map { _ in memory.prepared }
        arguments =
            [
                .int(norm.kind == .rms ? Kind.rms : Kind.layer), .write(memory.arrivals), weight, bias,
                .float(norm.epsilon), .write(floats),
            ] + (codes?.written ?? Lowering.nothingPrepared) + [.int(columns.map(Lowering.sharing) ?? 1)]
        localBytes = Lowering.normBytes(width) + 4
    }
}

extension Lowering {
    /// Sums that a norm of so many values has: work-items of its work-group (kernels/norm.h).
    static func normChains(_ length: Int) -> Int { length <= 256 ? 32 : 256 }
    /// Local memory of one.
    static func normBytes(_ length: Int) -> Int { max(normChains(length), length / preparedBlock) * 4 }

    /// The operation behind the product at `index`, where the product's launch can do it.
    func finish(_ op: Op.Linear, _ index: Int, _ products: [Product], _ rows: Rows, _ step: Step) -> Finish? {
        guard index + 1 < program.ops.count else { return nil }
        switch program.ops[index + 1] {
        case .norm(let norm):
            guard products.count == 1, canFinish(products, rows), norm.groups == 1,
                norm.input == op.projections[0].output
            else { return nil }
            let readers = codeReaders(of: norm.output, after: index + 1)
            return Finish(
                norm, width: program.width(norm.input), weight: vector(norm.weight), bias: vector(norm.bias),
                floats: readers?.takeAll == true ? nil : memory.slice(norm.output), columns: readers?.columns, memory)
        case .gate(let gate):
            guard op.projections.map(\.output) == [gate.gate, gate.up],
                let readers = codeReaders(of: gate.output, after: index + 1), readers.takeAll
            else { return nil }
            return finish(
                gates: gate.activation.kernelValue, readers.columns, products, rows, step,
                held: PreparedValue(value: gate.output, columns: readers.columns))
        default: return nil
        }
    }

    /// The gates of what two matrices give, prepared with a scale per `columns`.
    func finish(
        gates activation: Int, _ columns: Int, _ products: [Product], _ rows: Rows, _ step: Step,
        held: PreparedValue? = nil
    ) -> Finish? {
        // The product must not read what is written meanwhile; what is not held is prepared elsewhere first.
        guard products.count == 2, products[0].matrix.rows == products[1].matrix.rows,
            products[0].matrix.rows % columns == 0, canFinish(products, rows),
            step.preparation.rows != memory.finished || step.preparation.held == nil
        else { return nil }
        return Finish(gates: activation, columns: columns, held: held, memory)
    }

    /// Whether one launch takes the products, of one row to a work-group, on the device's usual units. With more rows the last work-group
    /// would have more to do than a launch costs.
    private func canFinish(_ products: [Product], _ rows: Rows) -> Bool {
        let matrix = products[0].matrix
        let isOnEngine = matrixLanes != nil && matrix.layout.usesEngine(rows: 1, columns: matrix.columns)
        return rows.tile == 1 && !isOnEngine && Product.groups(products).count == 1
    }
}

extension Preparation {
    /// Takes note of what a launch has done: the operation at `index`.
    func note(_ finish: Finish, _ index: Int) {
        done = index
        if let codes = finish.codes { hold(finish.held, in: codes) }
    }
}
