#include <stdio.h>
int
main(void)
{
	puts("pathtune " PATHTUNE_VERSION);
	return 0;
}
