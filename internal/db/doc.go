// Package db opens the database, runs transactions and owns the schema and the one
// clock. It is the only package that knows which engine is underneath.
//
// There is one SQL text for SQLite and PostgreSQL: placeholders are $1, $2 …, may
// repeat and may come in any order; times are BIGINT microseconds since 1970 in UTC,
// NULL for "never"; ids and JSON are TEXT; flags are BOOLEAN; bytes are BYTEA. There
// is no now(), no FOR UPDATE, no dialect word. Features keep their statements in
// their own sql.go and reach the engine through Tx and the Reader.
//
// Locking is by guarded UPDATE: whoever changes something first takes the row that
// stands for it with an UPDATE that names the state it leaves. PostgreSQL runs at
// READ COMMITTED, where such an UPDATE waits for the row and looks at it again;
// SQLite has one writer at a time. Either way exactly one of two wins.
package db
