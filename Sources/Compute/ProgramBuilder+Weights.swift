/// Weights as a drawing declares them: each is checked against the file's tensor of that name.
extension ProgramBuilder {
    mutating func optionalVector(_ name: String, _ length: Int) -> Weight? {
        optionalVector(name, 0..<length, of: length)
    }

    /// A range of a vector of `total` elements, where the file has it.
    mutating func optionalVector(_ name: String, _ range: Range<Int>, of total: Int) -> Weight? {
        guard catalog.dimensions(of: name) != nil else { return nil }
        return declare(
            WeightDeclaration(
                name: name, rows: 1, columns: range.count, offset: range.lowerBound, tensorCount: total),
            dimensions: [total])
    }

    /// A range of the rows of a matrix of `total` rows.
    mutating func weight(_ name: String, rows: Range<Int>, of total: Int, columns: Int) -> Weight {
        declare(
            WeightDeclaration(
                name: name, rows: rows.count, columns: columns, offset: rows.lowerBound * columns,
                tensorCount: total * columns),
            dimensions: [columns, total])
    }

    mutating func weight(_ name: String, experts: Int = 1, rows: Int, columns: Int) -> Weight {
        declare(
            WeightDeclaration(name: name, experts: experts, rows: rows, columns: columns),
            dimensions: [columns, rows, experts])
    }

    private mutating func declare(_ declaration: WeightDeclaration, dimensions: [Int]) -> Weight {
        if let known = weightIndex[declaration] { return known }
        check(declaration, dimensions: dimensions)
        let weight = Weight(index: weights.count)
        weights.append(declaration)
        weightIndex[declaration] = weight
        return weight
    }

    /// Notes a missing tensor or one of another shape. Dimensions of one at the end do not count: some tools write them, others
    /// leave them out.
    mutating func check(_ declaration: WeightDeclaration, dimensions: [Int]) {
        tensorNames.insert(declaration.name)
        guard problem == nil else { return }
        guard let found = catalog.dimensions(of: declaration.name) else {
            problem = .missingTensor(declaration.name)
            return
        }
        func trimmed(_ dimensions: [Int]) -> [Int] {
            Array(dimensions.prefix(1 + (dimensions.dropFirst().lastIndex { $0 != 1 } ?? 0)))
        }
        if trimmed(found) != trimmed(dimensions) {
            problem = .wrongShape(tensor: declaration.name, expected: trimmed(dimensions), found: found)
        }
    }
}
