package db

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// inList is how many keys one statement asks for. Both engines allow many more; this
// keeps the plans and the texts small.
const inList = 200

// ManyIn reads all rows of the query for many keys, in statements of one text: text gets
// the places of the keys, for an IN, and args are the values before them. Rows come in
// the order of the statements. It asks nothing for no keys.
func ManyIn[T any, K ~string](
	ctx context.Context, from Reader, scan func(Row) (T, error), keys []K, text func(places string) string, args ...any,
) ([]T, error) {
	var all []T
	for list := range slices.Chunk(keys, inList) {
		// The last list is filled up with its own last key.
		size := inList
		if len(keys) <= inList/4 {
			size = inList / 4
		}
		values, places := slices.Clone(args), make([]string, size)
		for i := range size {
			values = append(values, string(list[min(i, len(list)-1)]))
			places[i] = "$" + strconv.Itoa(len(args)+i+1)
		}
		rows, err := Many(ctx, from, scan, text(strings.Join(places, ", ")), values...)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	return all, nil
}
