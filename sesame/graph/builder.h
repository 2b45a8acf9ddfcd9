#pragma once

#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/graph/graph.h"

namespace sesame {

class Builder;

/// A handle on one value of a graph under construction. Cheap to copy; valid while its Builder lives. A default-made
/// one stands for "absent" (an optional input, a gradient of zero).
class Value {
 public:
  Value() = default;
  Value(Builder* builder, Ref ref) : builder_(builder), ref_(ref) {}

  [[nodiscard]] explicit operator bool() const { return builder_ != nullptr; }
  [[nodiscard]] Builder& builder() const { return *builder_; }
  [[nodiscard]] Ref ref() const { return ref_; }
  [[nodiscard]] const Type& type() const;
  [[nodiscard]] const Shape& shape() const { return type().shape; }
  [[nodiscard]] DType dtype() const { return type().dtype; }

 private:
  Builder* builder_ = nullptr;
  Ref ref_;
};

/// Appends nodes to a graph: infers their types, checks them, and notes scope and source line of each. Shape errors are
/// raised at the call that made them and name op, shapes, scope and line.
class Builder {
 public:
  using Where = std::source_location;

  /// `graph` must outlive the builder; several builders may continue one graph one after the other.
  explicit Builder(Graph& graph) : graph_(&graph) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  [[nodiscard]] Graph& graph() { return *graph_; }

  /// Data that the caller writes before every step.
  Value input(std::string name, Type type, Where where = Where::current());

  /// A tensor that lives outside the step: parameter, optimiser moment, cache. The same name gives the same value; its
  /// type must then be the same too.
  Value variable(std::string name, Type type, Where where = Where::current());

  /// A tensor of one repeated value.
  Value constant(double value, Type type, Where where = Where::current());

  /// Appends one node and returns its outputs. What ops are made with; models call the functions of ops.h. `replay`: as
  /// in Node.
  std::vector<Value> append(Op op, Attributes attributes, std::span<const Value> inputs, Where where,
                            int32_t replay = 0);

  /// append for ops with one output.
  Value append_one(Op op, Attributes attributes, std::initializer_list<Value> inputs, Where where);

  void output(std::string name, Value value) { graph_->output(std::move(name), value.ref()); }
  void update(Value variable, Value value) { graph_->update(variable.ref().node, value.ref()); }

  /// A stream key for the next random op: a hash of its scope and of how many random ops that scope has had.
  int64_t next_random_key();

  /// The current scope, "" at the top, else "h.3.attn".
  [[nodiscard]] const std::string& scope() const { return scope_; }

  /// Enters a scope until destroyed.
  class Scope {
   public:
    Scope(Builder& builder, std::string_view name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Builder& builder_;
    size_t outer_length_;
  };

  /// Sets the whole scope (passes use it to give new nodes the scope of the node they stand for).
  void set_scope(std::string scope) { scope_ = std::move(scope); }

 private:
  friend class Scope;
  Graph* graph_;
  std::string scope_;
  std::unordered_map<std::string, int64_t> random_ops_;
};

}  // namespace sesame
