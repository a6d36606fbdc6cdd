package evidence

import "keyturn/internal/locale"

// control is a row of the mapping.
type control struct {
	standard locale.Key
	number   string
	answer   Answer
	title    locale.Key
	words    locale.Key
}

// mapping answers the standards that an auditor measures by. Numbers are those of the
// releases that are named; Xero and the ATO have titles. It is honest, or it is of no use:
// a demand that the product does not meet wholly is a deviation.
func mapping() []control {
	const xero, ato, asvs, nist = locale.EvidenceStandardXero, locale.EvidenceStandardAto, locale.EvidenceStandardAsvs, locale.EvidenceStandardNist
	return []control{
		{xero, "Encryption key management", Met, locale.EvidenceControlXeroKeys, locale.EvidenceControlXeroKeysHow},
		{xero, "Encryption in transit", VendorsOwn, locale.EvidenceControlXeroTransit, locale.EvidenceControlXeroTransitHow},
		{xero, "Authentication", Met, locale.EvidenceControlXeroAuth, locale.EvidenceControlXeroAuthHow},
		{xero, "Indirect access to data", VendorsOwn, locale.EvidenceControlXeroIndirect, locale.EvidenceControlXeroIndirectHow},
		{xero, "App server configuration", VendorsOwn, locale.EvidenceControlXeroServer, locale.EvidenceControlXeroServerHow},
		{xero, "Vulnerability management", VendorsOwn, locale.EvidenceControlXeroVulnerability, locale.EvidenceControlXeroVulnerabilityHow},
		{xero, "Encryption at rest", VendorsOwn, locale.EvidenceControlXeroRest, locale.EvidenceControlXeroRestHow},
		{xero, "Audit logging", Met, locale.EvidenceControlXeroLog, locale.EvidenceControlXeroLogHow},
		{xero, "Data hosting", VendorsOwn, locale.EvidenceControlXeroHosting, locale.EvidenceControlXeroHostingHow},
		{xero, "Security monitoring and breach reporting", VendorsOwn, locale.EvidenceControlXeroMonitoring, locale.EvidenceControlXeroMonitoringHow},
		{ato, "Authentication: multi-factor", Met, locale.EvidenceControlAtoMfa, locale.EvidenceControlAtoMfaHow},
		{ato, "Authentication: privileged users", Met, locale.EvidenceControlAtoStaff, locale.EvidenceControlAtoStaffHow},
		{ato, "Authentication: shared logins", Deviation, locale.EvidenceControlAtoShared, locale.EvidenceControlAtoSharedHow},
		{ato, "Authentication: remember me", Met, locale.EvidenceControlAtoRemember, locale.EvidenceControlAtoRememberHow},
		{ato, "Authentication: temporary credentials", Met, locale.EvidenceControlAtoTokens, locale.EvidenceControlAtoTokensHow},
		{ato, "Audit logging", Met, locale.EvidenceControlAtoLog, locale.EvidenceControlAtoLogHow},
		{ato, "Encryption, hosting, personnel, monitoring, certification", VendorsOwn, locale.EvidenceControlAtoRest, locale.EvidenceControlAtoRestHow},
		{asvs, "6.2.1, 6.2.4, 6.2.5, 6.2.7, 6.2.9, 6.2.12", Met, locale.EvidenceControlAsvsPasswords, locale.EvidenceControlAsvsPasswordsHow},
		{asvs, "6.3.1", Met, locale.EvidenceControlAsvsGuessing, locale.EvidenceControlAsvsGuessingHow},
		{asvs, "6.3.3", Met, locale.EvidenceControlAsvsMfa, locale.EvidenceControlAsvsMfaHow},
		{asvs, "6.3.6", Deviation, locale.EvidenceControlAsvsEmail, locale.EvidenceControlAsvsEmailHow},
		{asvs, "6.3.7", Met, locale.EvidenceControlAsvsTold, locale.EvidenceControlAsvsToldHow},
		{asvs, "6.3.8", Met, locale.EvidenceControlAsvsSilent, locale.EvidenceControlAsvsSilentHow},
		{asvs, "6.4.3, 6.4.4", Met, locale.EvidenceControlAsvsReset, locale.EvidenceControlAsvsResetHow},
		{asvs, "6.5.1, 6.5.3, 6.5.4", Met, locale.EvidenceControlAsvsOnce, locale.EvidenceControlAsvsOnceHow},
		{asvs, "6.5.2", Deviation, locale.EvidenceControlAsvsHash, locale.EvidenceControlAsvsHashHow},
		{asvs, "6.5.5", Deviation, locale.EvidenceControlAsvsLife, locale.EvidenceControlAsvsLifeHow},
		{asvs, "6.5.6", Met, locale.EvidenceControlAsvsRevoke, locale.EvidenceControlAsvsRevokeHow},
		{asvs, "6.6.1", Deviation, locale.EvidenceControlAsvsSms, locale.EvidenceControlAsvsSmsHow},
		{asvs, "6.6.2, 6.6.3", Met, locale.EvidenceControlAsvsBound, locale.EvidenceControlAsvsBoundHow},
		{asvs, "7.3.1, 7.3.2, 7.4.2, 7.4.5", Met, locale.EvidenceControlAsvsSession, locale.EvidenceControlAsvsSessionHow},
		{asvs, "7.5.1, 7.5.2", Met, locale.EvidenceControlAsvsFresh, locale.EvidenceControlAsvsFreshHow},
		{asvs, "16.3.1, 16.4.2", Met, locale.EvidenceControlAsvsLog, locale.EvidenceControlAsvsLogHow},
		{nist, "2.2", Deviation, locale.EvidenceControlNistAal, locale.EvidenceControlNistAalHow},
		{nist, "2.2.3", Met, locale.EvidenceControlNistReauth, locale.EvidenceControlNistReauthHow},
		{nist, "3.1.1.2", Deviation, locale.EvidenceControlNistPassword, locale.EvidenceControlNistPasswordHow},
		{nist, "3.1.2, 4.2", Met, locale.EvidenceControlNistLookup, locale.EvidenceControlNistLookupHow},
		{nist, "3.1.3.1", Deviation, locale.EvidenceControlNistEmail, locale.EvidenceControlNistEmailHow},
		{nist, "3.1.3.3", Met, locale.EvidenceControlNistPstn, locale.EvidenceControlNistPstnHow},
		{nist, "3.1.4", Met, locale.EvidenceControlNistOtp, locale.EvidenceControlNistOtpHow},
		{nist, "3.1.7, 3.2.5", Met, locale.EvidenceControlNistPasskey, locale.EvidenceControlNistPasskeyHow},
		{nist, "3.2.2", Met, locale.EvidenceControlNistRate, locale.EvidenceControlNistRateHow},
		{nist, "SP 800-63A", NotApplicable, locale.EvidenceControlNistIal, locale.EvidenceControlNistIalHow},
	}
}

func controls() []Control {
	rows := mapping()
	all := make([]Control, len(rows))
	for i, r := range rows {
		all[i] = Control{
			Standard: locale.Say(r.standard), Number: r.number, Title: locale.Say(r.title), Answer: r.answer, Words: locale.Say(r.words),
		}
	}
	return all
}
