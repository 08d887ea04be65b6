/// The members of a JSON object in the order of their first appearance.
///
/// A repeated key replaces the value and keeps the place; keys are compared as `String`s are, by canonical equivalence. Two objects are equal when they hold the same members in any order.
package struct JSONObject: Sendable {
    package typealias Element = (key: String, value: JSON)

    private var elements: [Element] = []
    /// The place of each key; empty while a linear search is faster.
    private var places: [String: Int] = [:]
    private static let indexedFrom = 12

    package init() {}

    package init(_ members: some Sequence<(String, JSON)>) {
        for (key, value) in members { self[key] = value }
    }

    /// The value of a key. Setting a new key appends it; setting `nil` removes the member.
    package subscript(key: String) -> JSON? {
        get { place(of: key).map { elements[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): elements[place].value = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?): append(key, value)
            case (nil, nil): break
            }
        }
    }

    package var keys: [String] { elements.map(\.key) }

    private func place(of key: String) -> Int? {
        places.isEmpty ? elements.firstIndex { $0.key == key } : places[key]
    }

    private mutating func append(_ key: String, _ value: JSON) {
        elements.append((key, value))
        if !places.isEmpty {
            places[key] = elements.count - 1
        } else if elements.count >= Self.indexedFrom {
            reindex()
        }
    }

    private mutating func remove(at place: Int) {
        elements.remove(at: place)
        reindex()
    }

    private mutating func reindex() {
        places.removeAll(keepingCapacity: true)
        guard elements.count >= Self.indexedFrom else { return }
        for (place, element) in elements.enumerated() { places[element.key] = place }
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { elements.count }
    package subscript(position: Int) -> Element { elements[position] }
}

extension JSONObject: Equatable {
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.count == b.count && a.elements.allSatisfy { b[$0.key] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSON)...) { self.init(members) }
}
