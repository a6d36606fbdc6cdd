package password

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// number reads a decimal number in its one spelling: no sign, no leading zero. Nine
// digits are more than any cost needs and fit an int everywhere.
func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || strconv.Itoa(n) != s {
		if len(s) > 9 && strings.Trim(s, "0123456789") == "" {
			return 0, errCostly
		}
		return 0, errDamaged
	}
	if len(s) > 9 {
		return 0, errCostly
	}
	return n, nil
}

// numbers reads "m=19456,t=2,p=1": these names in this order, as the PHC string
// format fixes it.
func numbers(s string, names ...string) ([]int, error) {
	pairs := strings.Split(s, ",")
	if len(pairs) != len(names) {
		return nil, errDamaged
	}
	out := make([]int, len(names))
	for i, pair := range pairs {
		value, ok := strings.CutPrefix(pair, names[i]+"=")
		if !ok {
			return nil, errDamaged
		}
		n, err := number(value)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// saltAndKey decodes both and checks their lengths.
func saltAndKey(enc *base64.Encoding, salt, key string) (s, k []byte, err error) {
	s, errSalt := enc.DecodeString(salt)
	k, errKey := enc.DecodeString(key)
	if errSalt != nil || errKey != nil ||
		len(s) == 0 || len(s) > maxSalt || len(k) < minKey || len(k) > maxKey {
		return nil, nil, errDamaged
	}
	return s, k, nil
}
