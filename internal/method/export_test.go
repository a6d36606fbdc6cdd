package method

// TOTPOf makes a secret of known bytes.
var TOTPOf = totpOf
