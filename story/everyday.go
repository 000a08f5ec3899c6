package story

// everyday are folded words that stand in reports of every kind: two reports that
// share them need not tell the same story.
var everyday = set(`about across after again against ahead all allege alleges almost along also amid among another any around
	asked asks away back ban been before began behind being best between big bid both bring brings build built busts but buy
	call called calls can cannot case caught cent change changes chief claim claims close come comes concern could counter
	crime crimes cut data day days deal demand despite did do does down drive drop due during each early east effort end ends
	even ever every face faces facing fact fail failed fails fall far few file files filed find finds fight first five follow
	following for former found four fresh from full gave get gets getting give given gives global go goes going gone good
	got great group groups grow had half has have he head hear heard help her here high him his hit hits home hope hour house
	how however if inside into issue issues its join joins just keep kept key know known last later launch launches law laws
	lead leads least led left less let life like likely line link linked list little live lives long look lost low made main
	make makes making many mark may mean meet meets member members met might minister month months more most move moves much
	must named near need needs network networks never next nine no north not number of off offer office official officials
	old once only open opens order orders other others our out over own part past pay people per place places plan plans plea
	please pm point post posts power president private public put question raise raises rate reach read ready real receive
	received record report reported reports rescue rescued response rest result return rights rise role round rule ruled rules
	run safe safety said same saw say says school second secret security see seek seeks seen seize seized seizes send sent
	service services set seven several she shock should show shows shut side since six so some soon south special spot start
	starts step still stop stops story street such support system take taken takes taking talk team tell tells ten than that
	the their them then there these they thing think third this those thousand three through time tip tips together told took
	top total toward town track trial try turn two under unit unveil up us use used user users using very via victim victims
	vow vows want wants war warn warns warning was way we week well went were west what when where which while who whose why
	wide will win with within without word work worker workers world would year yet young latest named involving involved
	operation minor accused alert order survivor family parents mother house room school college hospital phone phones
	mobile laptop device devices account accounts message messages
	ഒരു എന്ന ഈ ആ നിന്ന് നിന്നും ശേഷം മുൻ വീണ്ടും കൂടുതൽ എതിരെ കൊണ്ട് വേണ്ടി പേരെ വിവിധ നടത്തിയ ചെയ്തു പറഞ്ഞു ആണ് ഉൾപ്പെടെ ഇന്ന് ഇന്നലെ
	में से के की का को ने पर और है हैं था थी थे एक यह वह इस उस लिए साथ बाद तक भी कर किया करने गया गई हुई हुए वाला वाले तहत खिलाफ मिली मिले
	ஒரு என்று என இந்த அந்த மற்றும் செய்த செய்தனர் மீது பற்றி இருந்து உள்ள`)
