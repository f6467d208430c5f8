// The types of portcullis/nestjs.
import { type ArgumentsHost, Catch, Controller, type ExceptionFilter, Get, Module, Post, UseGuards } from '@nestjs/common';
import { type Access, type Claims as ClaimsOfToken, getSimpleJwksService } from 'portcullis';
import { Auth, Claims, PortcullisGuard, PortcullisModule, RefusalException, Secured } from 'portcullis/nestjs';

const keys = getSimpleJwksService('https://myoauthserver.com/auth/jwks');

@Secured({ scope: 'orders:read' })
@Controller('orders')
class Orders {
  @Get()
  list(@Auth() auth: Access, @Claims() claims: ClaimsOfToken, @Claims('sub') sub: string) {
    return { scopes: auth.scopes, claims, sub };
  }

  @Secured({ scope: ['orders:write'], maxAge: 300 })
  @Post()
  create() {
    return 'ok';
  }

  @Secured(false)
  @Get('health')
  health() {
    return 'ok';
  }

  @UseGuards(PortcullisGuard)
  @Get('own')
  own() {
    return 'ok';
  }

  // @ts-expect-error an option of the module
  @Secured({ audience: 'a' })
  wrong() {}
}

@Catch(RefusalException)
class Refusals implements ExceptionFilter {
  catch(exception: RefusalException, host: ArgumentsHost) {
    return [exception.getStatus(), exception.refusal.code, host];
  }
}

@Module({ imports: [PortcullisModule.forRoot({ keys, audience: 'https://api.example.com', global: false })], controllers: [Orders], providers: [Refusals] })
class AppModule {}
console.log(AppModule);
PortcullisModule.forRootAsync({ inject: ['CONFIG'], useFactory: async (config: { scope: string }) => ({ keys, scope: config.scope }) });

// @ts-expect-error no keys
PortcullisModule.forRoot({});
// @ts-expect-error refusals go to exception filters always
PortcullisModule.forRoot({ keys, next: true });
