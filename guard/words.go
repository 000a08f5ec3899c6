package guard

import "strings"

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// children are the words for a child. A student or a victim may be grown up.
	children = set(`girl girls boy boys minor minors child children kid kids toddler toddlers infant infants baby newborn
		teen teens teenager teenagers schoolgirl schoolgirls schoolboy schoolboys juvenile juveniles pocso underage`)
	victims = set(`victim survivor student pupil complainant daughter son stepdaughter stepson niece nephew granddaughter
		grandson ward`)
	plurals   = set(`girls boys minors children kids toddlers infants teens teenagers schoolgirls schoolboys juveniles pocso underage`)
	offspring = set(`daughter son child stepdaughter stepson granddaughter grandson niece nephew kid girl boy children daughters sons`)
	relatives = set(`mother father parents stepfather stepmother grandmother grandfather uncle aunt brother sister guardian
		guardians cousin parent relative`)
	qualifiers  = set(`minor young younger elder eldest youngest only teenage teen adopted year years yr old two three the s own`)
	auxiliaries = set(`is was has been as whose her his the a and who were`)
	describes   = set(`of at from in who studying student and living`)
	homeWords   = set(`from of in at near hailing native resident residing living who lives belonging to a student studying`)
	romanClass  = set(`i ii iii iv v vi vii viii ix x xi xii`)
	schools     = set(`school vidyalaya vidyalayam vidyapeeth vidyapith gurukul gurukulam madrasa madrassa madrasah anganwadi
		anganvadi convent hss ghss gvhss lps ups kindergarten playschool balikamandir sadanam`)
	saints       = set(`st saint sree sri shree little holy mar our lady infant navodaya kendriya`)
	institutions = set(`government govt private public primary high higher secondary upper lower residential boarding international
		model central state local special english medium girls boys aided unaided day nursery play senior junior vocational
		national memorial lp up hs and technical elementary middle male female`)
	// chosen are what a school calls itself, and what is not a kind of school that a
	// headline in capitals may speak of.
	chosen        = set(`public international model central memorial national lp up`)
	tens          = set(`twenty thirty forty fifty sixty seventy eighty ninety`)
	functionWords = set(`the a an in on at of for from to by with after before over and or as is was near his her their its
		this that who when while amid against inside outside under out into off up down not no`)
	// titles go before the name of somebody whose office it is to be named.
	titles = set(`inspector sub si asi ci sho dysp dsp sp asp acp dcp dig ig adgp dgp ips ias commissioner superintendent
		officer constable judge justice magistrate advocate adv prosecutor counsel lawyer minister mla mp mr mrs ms dr doctor
		chief director chairperson chairman secretary president spokesperson collector principal headmaster teacher coach
		pastor bishop imam rabbi fr father brother sister sr detective agent special public professor prof senator sheriff
		captain major sergeant lieutenant governor mayor councillor chairwoman actor actress journalist activist`)
	// notNames are written with a capital and are nobody's name.
	notNames = set(`january february march april may june july august september october november december jan feb mar apr jun
		jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday
		the a an in on at of for from to by with after before over and or as is was were are has had have he she it they his
		her their its we our you your this that these those when while who what where why how if but not no yes also
		police court courts high supreme sessions district special fast track act section sections article articles class
		rule rules clause chapter part page ward pocso ipc bns crpc bnss csam csem fir crime branch cyber cell cyberdome
		operation hunt unit bureau team department ministry government govt state centre center central national union
		commission committee council board authority agency service services force station control room welfare rights
		protection protective line childline helpline abuse sexual exploitation assault rape porn pornography trafficking
		safety missing exploited internet watch foundation organisation organization association federation society trust
		fund ngo ngos unicef interpol europol ncmec ncrb cbi nia fbi ips dalit adivasi tribal muslim hindu christian sikh jain
		buddhist indian american british australian canadian nepali nepalese bangladeshi pakistani chinese asian african
		european german french italian malayali tamil telugu kannada hindi bengali marathi punjabi english migrant
		guest worker rohingya roma aboriginal hospital college university school church temple mosque mission home homes
		house road street case cases news report reports report's raid raids arrest arrests arrested held nabbed booked jail
		jailed sentenced convicted gets years year life man woman men women youth mother father parents uncle aunt
		stepfather teacher priest student victim survivor son daughter brother sister cousin sibling siblings niece nephew
		stepdaughter stepson granddaughter grandson wife husband friend neighbour neighbor accused suspect another two three
		four five six seven eight nine ten first second third facebook instagram whatsapp telegram snapchat twitter google
		youtube meta tiktok x i mr nirbhaya doe rural city town support endangerment division spirit care development result
		results exam further meanwhile earlier christmas onam diwali eid easter`)
)
